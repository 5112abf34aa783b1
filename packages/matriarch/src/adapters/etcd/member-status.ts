import type { EtcdChannel } from './etcd-channel.ts';
import { Maintenance } from './gen/etcd_pb.ts';
import { numberOf } from './transaction.ts';

/** What one member of the store says of itself, for `list`, `doctor` and reports. */
export type EtcdMemberStatus =
  | {
      readonly kind: 'answered';
      readonly endpoint: string;
      readonly version: string;
      /** Hexadecimal, as etcd's own tools show ids. */
      readonly memberId: string;
      readonly clusterId: string;
      /** Undefined: the member knows of no leader. */
      readonly leaderId: string | undefined;
      readonly isLeader: boolean;
      readonly revision: number;
      readonly databaseBytes: number;
      /** Alarms and the like, in etcd's words. */
      readonly problems: readonly string[];
    }
  | { readonly kind: 'silent'; readonly endpoint: string; readonly cause: string };

const hexadecimal = (id: bigint): string => id.toString(16);

/** Needs no password, and no leader either. */
export const readMemberStatus = async (
  channel: EtcdChannel,
  limitMs: number,
): Promise<EtcdMemberStatus> => {
  const { endpoint } = channel;
  const answer = await channel.ask(Maintenance.method.status, {}, { limitMs, leaderless: true });
  if (answer.kind === 'lost') return { kind: 'silent', endpoint, cause: answer.failure.cause };
  const { header, version, leaderId, databaseBytes, problems } = answer.message;
  const memberId = header?.memberId ?? 0n;
  return {
    kind: 'answered',
    endpoint,
    version,
    memberId: hexadecimal(memberId),
    clusterId: hexadecimal(header?.clusterId ?? 0n),
    leaderId: leaderId === 0n ? undefined : hexadecimal(leaderId),
    isLeader: leaderId !== 0n && leaderId === memberId,
    revision: numberOf(header?.revision ?? 0n),
    databaseBytes: numberOf(databaseBytes),
    problems,
  };
};
