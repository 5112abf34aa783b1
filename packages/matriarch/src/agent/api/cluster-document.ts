import {
  type HistoryEntry,
  type Lsn,
  type MemberDocument,
  type StoreSnapshot,
  addressIn,
  formatLsn,
  maxLsn,
} from '@matriarch/core';
import {
  type ClusterSettings,
  type ExactJson,
  type ExactJsonObject,
  OUR_FIELD,
  encodeJob,
  encodeOwnScheduledRestart,
  encodeWaiting,
  encodeTags,
  readClusterSettings,
  synchronyOf,
} from '@matriarch/protocol';

/** `GET /cluster`: every member as the store knows it. */
export const assembleClusterDocument = (
  snapshot: StoreSnapshot,
  scope: string,
): ExactJsonObject => {
  const settings = readClusterSettings(snapshot.config?.value);
  const leaderLsn = leaderLsnOf(snapshot);
  const members = Object.entries(snapshot.members)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { value }]) => {
      const role = roleOf(name, snapshot, settings);
      const isLeader = snapshot.leader?.value === name;
      return {
        ...assembleMember(name, role, value),
        ...(isLeader ? {} : assembleLags(value, leaderLsn)),
      };
    });
  return {
    members,
    scope,
    pause: settings.paused || undefined,
    scheduled_switchover: assembleSchedule(snapshot),
  };
};

const leaderLsnOf = ({ status, leader, members }: StoreSnapshot): Lsn | undefined => {
  const own = leader === undefined ? undefined : members[leader.value]?.value.xlogLocation;
  const optime = status?.value.optime;
  if (own === undefined || optime === undefined) return own ?? optime;
  return maxLsn(own, optime);
};

const ROLES = { none: 'replica', sync: 'sync_standby', quorum: 'quorum_standby' } as const;

const roleOf = (name: string, snapshot: StoreSnapshot, settings: ClusterSettings): string => {
  if (snapshot.leader?.value === name) return settings.standbyCluster ? 'standby_leader' : 'leader';
  return ROLES[synchronyOf(name, snapshot.sync?.value, settings)];
};

const assembleMember = (name: string, role: string, document: MemberDocument) => {
  const { state, replicationState } = document;
  const address = splitAddress(addressIn(document.connUrl));
  return {
    name,
    role,
    state: role === 'leader' ? state : (replicationState ?? state),
    api_url: document.apiUrl,
    host: address?.host,
    port: address?.port,
    timeline: document.timeline,
    pending_restart: document.pendingRestart,
    scheduled_restart: encodeOwnScheduledRestart(document.scheduledRestart),
    tags: encodeTags(document.tags),
    [OUR_FIELD]: assembleOurPart(document, role),
  };
};

/** Only the leader's word on whose commits wait counts: a primary of before knows less. */
const assembleOurPart = (
  { job, waiting }: MemberDocument,
  role: string,
): ExactJsonObject | undefined => {
  const told = role === 'leader' ? waiting : undefined;
  if (job === undefined && told === undefined) return undefined;
  return { job: encodeJob(job), waiting: encodeWaiting(told) };
};

const ADDRESS = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/;

const splitAddress = (
  address: string | undefined,
): { readonly host: string; readonly port: number | undefined } | undefined => {
  const match = ADDRESS.exec(address ?? '');
  const host = match?.[1] ?? match?.[2] ?? '';
  if (host === '') return undefined;
  return { host, port: match?.[3] === undefined ? undefined : Number(match[3]) };
};

const assembleLags = (document: MemberDocument, leaderLsn: Lsn | undefined) => {
  const { receiveLsn, replayLsn, xlogLocation } = document;
  return {
    receive_lag: lagOf(leaderLsn, receiveLsn),
    receive_lsn: lsnText(receiveLsn),
    replay_lag: lagOf(leaderLsn, replayLsn),
    replay_lsn: lsnText(replayLsn),
    lag: lagOf(leaderLsn, xlogLocation),
    lsn: lsnText(xlogLocation),
  };
};

const lagOf = (leader: Lsn | undefined, own: Lsn | undefined): bigint | 'unknown' => {
  if (leader === undefined || own === undefined) return 'unknown';
  return own < leader ? leader - own : 0n;
};

const lsnText = (position: Lsn | undefined): string =>
  position === undefined ? 'unknown' : formatLsn(position);

const assembleSchedule = ({ failover }: StoreSnapshot): ExactJsonObject | undefined => {
  const { scheduledAt, leader, member } = failover?.value ?? {};
  if (scheduledAt === undefined) return undefined;
  return { at: scheduledAt.text, from: leader, to: member };
};

/** `GET /history`: old timeline, where it was left, why, when, and who led from then on. */
export const assembleHistory = (history: readonly HistoryEntry[]): ExactJson =>
  history.map(({ timeline, switchLsn, reason, at, leader }) => {
    const row: ExactJson[] = [timeline, switchLsn, reason];
    if (at !== undefined) row.push(at);
    if (leader !== undefined) row.push(leader);
    return row;
  });
