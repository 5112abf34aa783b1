import type { Lsn, MemberTags, Timeline } from '@matriarch/core';
import { formatLsn } from '@matriarch/core';
import { encodeTags } from '../documents/tags-codec.ts';
import type { ExactJsonObject } from '../json/exact-json.ts';
import { encodeJson } from '../json/exact-json.ts';

/** One row of `GET /cluster`. */
export interface ClusterMember {
  readonly name: string;
  readonly role: 'leader' | 'standby_leader' | 'sync_standby' | 'quorum_standby' | 'replica';
  /** For others than the leader the replication state where it is known. */
  readonly state: string;
  readonly apiUrl: string;
  readonly host: string;
  readonly port: number;
  readonly timeline?: Timeline | undefined;
  readonly pendingRestart?: boolean | undefined;
  readonly tags?: MemberTags | undefined;
  /** Absent for the leader. */
  readonly lag?: MemberLag | undefined;
}

/** Lags are what the leader holds and this member does not, in bytes; undefined is unknown. */
export interface MemberLag {
  readonly receiveLsn: Lsn | undefined;
  readonly receiveLagBytes: bigint | undefined;
  readonly replayLsn: Lsn | undefined;
  readonly replayLagBytes: bigint | undefined;
}

export interface ClusterStatus {
  readonly scope: string;
  readonly members: readonly ClusterMember[];
  readonly pause?: boolean | undefined;
  readonly scheduledSwitchover?:
    | { readonly at: string; readonly from?: string | undefined; readonly to?: string | undefined }
    | undefined;
}

/** The document as Patroni's REST API writes it; members sorted by name. */
export const encodeClusterStatus = (status: ClusterStatus): string =>
  encodeJson(
    {
      members: [...status.members]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(encodeClusterMember),
      scope: status.scope,
      pause: status.pause === true ? true : undefined,
      scheduled_switchover: status.scheduledSwitchover,
    },
    { spaced: true },
  );

const encodeClusterMember = (member: ClusterMember): ExactJsonObject => ({
  name: member.name,
  role: member.role,
  state: member.state,
  api_url: member.apiUrl,
  host: member.host,
  port: member.port,
  timeline: member.timeline,
  pending_restart: member.pendingRestart === true ? true : undefined,
  tags: member.tags === undefined ? undefined : encodeTags(member.tags),
  ...(member.lag === undefined ? {} : encodeLag(member.lag)),
});

const encodeLag = (lag: MemberLag): ExactJsonObject => {
  const replayLag = lag.replayLagBytes ?? 'unknown';
  const replayLsn = lag.replayLsn === undefined ? undefined : formatLsn(lag.replayLsn);
  return {
    receive_lag: lag.receiveLagBytes ?? 'unknown',
    receive_lsn: lag.receiveLsn === undefined ? undefined : formatLsn(lag.receiveLsn),
    replay_lag: replayLag,
    replay_lsn: replayLsn,
    lag: replayLag,
    lsn: replayLsn,
  };
};
