import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  KeyCompare,
  KeyRange,
  KeyValue,
  KeyValueStore,
  KeyWrite,
} from '../../agent/ports/key-value-store.ts';
import {
  type CompareSchema,
  type KeyValue as WireKeyValue,
  type RangeRequestSchema,
  type RangeResponse,
  type RequestOpSchema,
  type ResponseHeader,
  type TxnRequestSchema,
  type TxnResponse,
  Compare_Target,
} from './gen/etcd_pb.ts';

type Transaction = Parameters<KeyValueStore['transact']>[0];

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/**
 * All keys that begin with `prefix`: the range ends before the prefix with its last byte counted
 * up, which is always possible, since no byte of UTF-8 is 255. Without a prefix it has no end
 * ("\0").
 */
export const rangeOf = (prefix: string): { key: Uint8Array; rangeEnd: Uint8Array } => {
  const key = bytesOf(prefix);
  const last = key.at(-1);
  if (last === undefined) return { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) };
  return { key, rangeEnd: Uint8Array.of(...key.subarray(0, -1), last + 1) };
};

/** Revisions and ttls are 64 bits on the wire; real ones are far below 2^53. */
export const numberOf = (integer: bigint): number => {
  if (integer > Number.MAX_SAFE_INTEGER || integer < Number.MIN_SAFE_INTEGER) {
    throw new Error(`the store answered with ${integer}, which does not fit a number`);
  }
  return Number(integer);
};

/** A lease id of the store in decimal. 0 would mean "no lease" on the wire. */
export const leaseIdOf = (leaseId: string): bigint => {
  if (!/^[1-9]\d{0,18}$/u.test(leaseId)) {
    throw new Error(`"${leaseId}" is no lease id: expected a positive decimal of 63 bits`);
  }
  return BigInt(leaseId);
};

const compareOf = ({ key, modRevision }: KeyCompare): MessageInitShape<typeof CompareSchema> => ({
  target: Compare_Target.MOD_REVISION,
  key: bytesOf(key),
  targetUnion: { case: 'modRevision', value: BigInt(modRevision) },
});

const writeOf = (write: KeyWrite): MessageInitShape<typeof RequestOpSchema> => {
  const key = bytesOf(write.key);
  if ('remove' in write) return { request: { case: 'deleteRange', value: { key } } };
  const leaseId = write.leaseId === undefined ? 0n : leaseIdOf(write.leaseId);
  return { request: { case: 'put', value: { key, value: bytesOf(write.put), leaseId } } };
};

/** The range comes last, so that in the answer it shows what was written. */
export const transactionRequestOf = ({
  compares,
  writes,
  prefix,
}: Transaction): MessageInitShape<typeof TxnRequestSchema> => {
  const look: MessageInitShape<typeof RequestOpSchema> = {
    request: {
      case: 'range',
      value: rangeOf(prefix) satisfies MessageInitShape<typeof RangeRequestSchema>,
    },
  };
  return {
    compare: compares.map(compareOf),
    success: [...writes.map(writeOf), look],
    failure: [look],
  };
};

const entryOf = (entry: WireKeyValue): KeyValue => ({
  key: textOf(entry.key),
  value: textOf(entry.value),
  createRevision: numberOf(entry.createRevision),
  modRevision: numberOf(entry.modRevision),
  leaseId: entry.leaseId === 0n ? undefined : entry.leaseId.toString(),
});

const revisionOf = (header: ResponseHeader | undefined): number => {
  if (header === undefined) throw new Error('the store answered without a revision');
  return numberOf(header.revision);
};

export const keyRangeOf = ({ header, entries }: RangeResponse): KeyRange => ({
  revision: revisionOf(header),
  entries: entries.map(entryOf),
});

export const transactionAnswerOf = ({
  header,
  succeeded,
  responses,
}: TxnResponse): { applied: boolean; range: KeyRange } => {
  const { response } = responses.at(-1) ?? {};
  if (response?.case !== 'range') throw new Error('the store answered without the range');
  const entries = response.value.entries.map(entryOf);
  return { applied: succeeded, range: { revision: revisionOf(header), entries } };
};
