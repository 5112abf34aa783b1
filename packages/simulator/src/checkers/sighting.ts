import type { Action, Schedule, StoreTransaction, TransactionPurpose } from '@matriarch/core';
import type { Wal, WalRecord } from '../postgres/wal.ts';

/** What the parts of the world report as it happens: the true facts, for the checkers. */
export type Sighting =
  /** A client's write was accepted and acknowledged. */
  | {
      readonly kind: 'committed';
      readonly host: string;
      readonly record: WalRecord;
      /** It had to wait: for standbys, or until nobody was to wait any more. */
      readonly synchronous: boolean;
    }
  /** A client was told the newest value of the register: 0 before there is one. */
  | {
      readonly kind: 'read';
      readonly host: string;
      /** When the client asked. */
      readonly beganAt: number;
      readonly write: number;
    }
  /** A server wrote a WAL record of its own, a client's or not. */
  | {
      readonly kind: 'record-written';
      readonly host: string;
      readonly systemIdentifier: string;
      readonly record: WalRecord;
    }
  /** A standby streams from a server whose WAL is not the continuation of its own. */
  | {
      readonly kind: 'diverged';
      readonly host: string;
      readonly from: string;
      readonly timeline: number;
      readonly lsn: number;
    }
  | { readonly kind: 'promotion-signalled'; readonly host: string }
  | {
      readonly kind: 'promoted';
      readonly host: string;
      readonly systemIdentifier: string;
      readonly timeline: number;
      readonly parent: number;
      readonly switchLsn: number;
    }
  /** A server that accepts writes became so, or stopped being so. */
  | { readonly kind: 'writable'; readonly host: string; readonly is: boolean }
  | { readonly kind: 'wal-measured'; readonly host: string; readonly end: number }
  | {
      readonly kind: 'data-destroyed';
      readonly host: string;
      readonly what: string;
      readonly wal: Wal;
    }
  | { readonly kind: 'foreign-data-touched'; readonly host: string; readonly by: string }
  /** A promise to that host lies on this one's disk. */
  | { readonly kind: 'promise-kept'; readonly host: string; readonly to: string }
  /** Somebody has asked for a restart of this host or a switchover from it, at a time. */
  | { readonly kind: 'time-asked-for'; readonly host: string; readonly schedule: Schedule }
  /** A loop begins what was asked for at a time, with the server that runs then. */
  | {
      readonly kind: 'time-has-come';
      readonly host: string;
      readonly rule: string;
      /** Whoever asked for it has put it so. */
      readonly text: string;
      readonly startedAt: number | undefined;
    }
  | { readonly kind: 'leader-changed'; readonly leader: string | undefined }
  /** A transaction of a member was applied. */
  | {
      readonly kind: 'transacted';
      readonly host: string;
      readonly purpose: TransactionPurpose;
      readonly transaction: StoreTransaction;
    }
  | { readonly kind: 'dispatched'; readonly host: string; readonly action: Action };
