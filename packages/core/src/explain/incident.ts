/** An incident as it is told: what `matriarch explain --format json` prints of each. */
import type { Phase } from './sentences.ts';

export type IncidentKind =
  | 'start'
  | 'failover'
  | 'switchover'
  | 'shutdown'
  | 'restart-in-place'
  | 'switchover-refused'
  | 'switchover-given-up'
  | 'no-primary'
  | 'replica'
  | 'store-outage'
  | 'commits-unpromised'
  | 'other';

export interface Step {
  readonly atMs: number;
  /** Since the incident began. */
  readonly offsetMs: number;
  readonly teller: string;
  readonly phase: Phase;
  readonly text: string;
  readonly event?: string | undefined;
  readonly rule?: string | undefined;
  /** The evidence it was decided on. */
  readonly because?: string | undefined;
  /** Who saw the same later, and how much. */
  readonly alsoBy?: readonly { readonly teller: string; readonly laterMs: number }[] | undefined;
}

/** A part of the way from the old primary to the new one. */
export interface Stage {
  readonly name: string;
  readonly tookMs: number;
}

export interface Refusal {
  /** `waited`: nobody was refused for good, the candidate only had to wait. */
  readonly kind: 'refused' | 'waited';
  readonly by: string;
  readonly because: string;
}

/** How it was known that the old server could not accept another write. */
export interface Silence {
  readonly member: string;
  readonly atMs: number;
  readonly by: 'guard' | 'loop' | 'own-report' | 'lease-expiry' | 'clean-stop' | 'seen-gone';
  readonly text: string;
}

export type Loss =
  /** Everything the old primary had is in the new one. `end`: where the old WAL ended. */
  | { readonly kind: 'nothing'; readonly because: string; readonly end?: string | undefined }
  | {
      readonly kind: 'lost';
      readonly member: string;
      readonly timeline: number;
      readonly from: string;
      readonly to: string;
      readonly bytes: number;
      /** False: no client was ever told that any of it was committed. */
      readonly mayBeAcknowledged: boolean;
      /** Directory on `member` where that WAL is kept; undefined: not kept yet. */
      readonly keptAt?: string | undefined;
    }
  /** Where the old WAL ended is not known. `atLeastBytes`: what the store knows was written. */
  | {
      readonly kind: 'unknown';
      readonly because: string;
      readonly from?: string | undefined;
      readonly atLeastBytes?: number | undefined;
    };

export interface Incident {
  readonly number: number;
  readonly kind: IncidentKind;
  readonly title: string;
  readonly cause: string;
  readonly beganAtMs: number;
  /** When the last thing that belongs to it happened. */
  readonly endedAtMs: number;
  /** Members that have not come back; while there are some it is not over. */
  readonly missing: readonly string[];
  /** There is a primary again. */
  readonly settled: boolean;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** How long no server accepted writes. */
  readonly withoutPrimaryMs?: number | undefined;
  /** The old primary did not say when it ended: it is when others first missed it. */
  readonly isInferred: boolean;
  readonly stages: readonly Stage[];
  readonly steps: readonly Step[];
  readonly refusals: readonly Refusal[];
  readonly silences: readonly Silence[];
  readonly loss?: Loss | undefined;
  readonly entries: number;
}
