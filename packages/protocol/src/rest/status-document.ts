import type { JobProgress, Lineage, Lsn, MemberTags, Timeline, WalPosition } from '@matriarch/core';
import { encodeJob, OUR_FIELD } from '../documents/member-codec.ts';
import { encodeTags } from '../documents/tags-codec.ts';
import type { ExactJsonObject } from '../json/exact-json.ts';
import { encodeJson } from '../json/exact-json.ts';
import { MATRIARCH_VERSION, PATRONI_VERSION } from '../version.ts';

/** One standby connected to this server, as `/patroni` lists it. */
export interface ReplicationStatus {
  readonly usename: string;
  readonly applicationName: string;
  readonly clientAddr: string;
  readonly state: string;
  readonly syncState: string;
  readonly syncPriority: number;
}

/** What `xlog` says; absent while PostgreSQL does not run (rule S12). */
export type WalStatus =
  | { readonly location: Lsn }
  | {
      readonly receivedLocation: Lsn | undefined;
      readonly replayedLocation: Lsn | undefined;
      /** As PostgreSQL writes it, `2026-11-23 08:25:19.152235+00:00`. */
      readonly replayedTimestamp: string | undefined;
      readonly paused: boolean;
    };

/** `GET /patroni`, also the body of every health check. */
export interface MemberStatus {
  readonly scope: string;
  readonly name: string;
  readonly state: string;
  readonly role: string;
  readonly postmasterStartTime?: string | undefined;
  readonly serverVersion?: number | undefined;
  readonly wal?: WalStatus | undefined;
  readonly timeline?: Timeline | undefined;
  readonly replicationState?: string | undefined;
  readonly replication?: readonly ReplicationStatus[] | undefined;
  /** Unix time in seconds. */
  readonly dcsLastSeen?: number | undefined;
  readonly tags: MemberTags;
  readonly systemIdentifier?: string | undefined;
  readonly pendingRestart?: boolean | undefined;
  readonly clusterUnlocked?: boolean | undefined;
  readonly ours: OurStatus;
}

/** What only our members say, under `matriarch`. */
export interface OurStatus {
  /** False: the server does not know its end of WAL yet, which is not the same as being behind. */
  readonly positionKnown: boolean;
  /** End of WAL of a server that does not run, where it has been measured. */
  readonly position?: WalPosition | undefined;
  readonly lineage: Lineage | undefined;
  /** It may take the lease when it is the best. */
  readonly electable: boolean;
  readonly job?: JobProgress | undefined;
}

/** The document as Patroni's REST API writes it, with a space after each comma and colon. */
export const encodeMemberStatus = (status: MemberStatus): string =>
  encodeJson(
    {
      state: status.state,
      postmaster_start_time: status.postmasterStartTime,
      role: status.role,
      server_version: status.serverVersion,
      xlog: encodeWal(status.wal),
      timeline: status.timeline,
      replication_state: status.replicationState,
      replication: encodeReplication(status.replication),
      cluster_unlocked: status.clusterUnlocked === true ? true : undefined,
      dcs_last_seen: status.dcsLastSeen,
      tags: encodeTags(status.tags),
      database_system_identifier: status.systemIdentifier,
      pending_restart: status.pendingRestart === true ? true : undefined,
      patroni: { version: PATRONI_VERSION, scope: status.scope, name: status.name },
      [OUR_FIELD]: encodeOurs(status.ours),
    },
    { spaced: true },
  );

const encodeWal = (wal: WalStatus | undefined): ExactJsonObject | undefined => {
  if (wal === undefined) return undefined;
  if ('location' in wal) return { location: wal.location };
  return {
    received_location: wal.receivedLocation ?? null,
    replayed_location: wal.replayedLocation ?? null,
    replayed_timestamp: wal.replayedTimestamp ?? null,
    paused: wal.paused,
  };
};

const encodeReplication = (
  rows: readonly ReplicationStatus[] | undefined,
): readonly ExactJsonObject[] | undefined =>
  rows === undefined || rows.length === 0
    ? undefined
    : rows.map((row) => ({
        usename: row.usename,
        application_name: row.applicationName,
        client_addr: row.clientAddr,
        state: row.state,
        sync_state: row.syncState,
        sync_priority: row.syncPriority,
      }));

const encodeOurs = (ours: OurStatus): ExactJsonObject => ({
  version: MATRIARCH_VERSION,
  position_known: ours.positionKnown,
  position: ours.position === undefined ? undefined : [ours.position.timeline, ours.position.lsn],
  timeline: ours.lineage?.timeline,
  lineage: ours.lineage?.ancestors.map(({ timeline, switchLsn }) => [timeline, switchLsn]),
  electable: ours.electable,
  job: encodeJob(ours.job),
});
