/** The rows of `matriarch list`: patronictl's words and columns, from the store alone. */
import { type Lsn, type MemberDocument, type StoreSnapshot, formatLsn } from '@matriarch/core';
import { addressIn } from '@matriarch/core';
import { readClusterSettings, synchronyOf } from '@matriarch/protocol';

export interface MemberRow {
  readonly member: string;
  /** `host:port`, or the host alone when all members use PostgreSQL's own port. */
  readonly host: string;
  readonly role: 'Leader' | 'Sync Standby' | 'Quorum Standby' | 'Replica';
  readonly state: string;
  readonly timeline: number | undefined;
  readonly receiveLsn: Lsn | undefined;
  readonly replayLsn: Lsn | undefined;
  /** Bytes behind what the holder last said; undefined for the holder, or when not known. */
  readonly receiveLagBytes: bigint | undefined;
  readonly replayLagBytes: bigint | undefined;
  readonly progress: string | undefined;
  readonly pendingRestart: boolean;
  /** When it is to be restarted, and of which version it must be then. */
  readonly scheduledRestart: string | undefined;
  readonly tags: Readonly<Record<string, string | number | boolean>>;
}

export const assembleMemberRows = (snapshot: StoreSnapshot): readonly MemberRow[] => {
  const optime = snapshot.status?.value.optime;
  const leader = snapshot.leader?.value;
  const documents = Object.entries(snapshot.members).sort(([a], [b]) => (a < b ? -1 : 1));
  const addresses = documents.map(([, { value }]) => addressIn(value.connUrl) ?? '');
  const usualPort = addresses.every((address) => address.endsWith(':5432'));
  return documents.map(([name, { value }], index) => {
    const isLeader = name === leader;
    const address = addresses[index] ?? '';
    return {
      member: name,
      host: usualPort ? address.replace(/:5432$/, '') : address,
      role: isLeader ? 'Leader' : roleOfReplica(name, snapshot),
      state: isLeader ? value.state : (value.replicationState ?? value.state),
      timeline: value.timeline,
      receiveLsn: isLeader ? undefined : value.receiveLsn,
      replayLsn: isLeader ? undefined : value.replayLsn,
      receiveLagBytes: isLeader ? undefined : behind(optime, value.receiveLsn),
      replayLagBytes: isLeader ? undefined : behind(optime, value.replayLsn),
      progress: formatProgress(value),
      pendingRestart: value.pendingRestart === true,
      scheduledRestart: formatScheduledRestart(value),
      tags: listedTags(value),
    };
  });
};

const ROLES = { none: 'Replica', sync: 'Sync Standby', quorum: 'Quorum Standby' } as const;

const roleOfReplica = (name: string, { sync, config }: StoreSnapshot): MemberRow['role'] =>
  ROLES[synchronyOf(name, sync?.value, readClusterSettings(config?.value))];

const behind = (optime: Lsn | undefined, lsn: Lsn | undefined): bigint | undefined => {
  if (optime === undefined || lsn === undefined) return undefined;
  return optime > lsn ? optime - lsn : 0n;
};

const listedTags = ({ tags }: MemberDocument): Record<string, string | number | boolean> => ({
  ...(tags.nofailover ? { nofailover: true } : {}),
  ...(tags.failoverPriority === 1 ? {} : { failover_priority: tags.failoverPriority }),
  ...(tags.syncPriority === 1 ? {} : { sync_priority: tags.syncPriority }),
  ...(tags.noloadbalance ? { noloadbalance: true } : {}),
  ...(tags.clonefrom ? { clonefrom: true } : {}),
  ...(tags.nosync ? { nosync: true } : {}),
  ...tags.others,
});

const formatScheduledRestart = ({ scheduledRestart }: MemberDocument): string | undefined => {
  if (scheduledRestart === undefined) return undefined;
  const { schedule, conditions } = scheduledRestart;
  const { postgresVersion } = conditions;
  const condition = postgresVersion === undefined ? '' : ` if version < ${postgresVersion}`;
  return `${schedule.text}${condition}`;
};

const formatProgress = ({ job }: MemberDocument): string | undefined => {
  if (job === undefined) return undefined;
  const { kind, doneBytes, totalBytes } = job;
  if (doneBytes === undefined || totalBytes === undefined || totalBytes === 0) return kind;
  const percent = Math.min(100, Math.floor((doneBytes / totalBytes) * 100));
  return `${kind} ${percent}% of ${Math.ceil(totalBytes / 1_048_576)} MB`;
};

const MEGABYTE = 1_048_576n;

/** What patronictl says of a replica that does not tell. The holder has no such figures at all. */
const UNKNOWN = 'unknown';

/** Whole megabytes, as patronictl shows a lag. */
export const lagCell = (
  { role }: MemberRow,
  bytes: bigint | undefined,
): number | string | undefined => {
  if (role === 'Leader') return undefined;
  return bytes === undefined ? UNKNOWN : Number((bytes + MEGABYTE / 2n) / MEGABYTE);
};

export const positionCell = ({ role }: MemberRow, lsn: Lsn | undefined): string | undefined => {
  if (role === 'Leader') return undefined;
  return lsn === undefined ? UNKNOWN : formatLsn(lsn);
};
