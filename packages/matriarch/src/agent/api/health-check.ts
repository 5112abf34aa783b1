import { encodeJson } from '@matriarch/protocol';
import type { MemberFacts } from './member-facts.ts';
import { parseSizeBytes } from './parse-size.ts';

/** What a path asks for. `unknown` is never met. */
export type CheckKind =
  | 'standby-leader'
  | 'leader'
  | 'primary'
  | 'replica'
  | 'read-only'
  | 'health'
  | 'sync'
  | 'quorum'
  | 'async'
  | 'read-only-sync'
  | 'read-only-quorum'
  | 'unknown';

/** Patroni looks for words inside the path, in this order; load balancers rely on odd paths. */
const WORDS: readonly (readonly [RegExp, CheckKind])[] = [
  [/standby[_-]leader/, 'standby-leader'],
  [/leader/, 'leader'],
  [/master|primary|read-write/, 'primary'],
  [/replica/, 'replica'],
  [/^(?!.*(?:sync|quorum)).*read-only/, 'read-only'],
  [/health/, 'health'],
  [/^\/sync(?:hronous)?$/, 'sync'],
  [/^\/quorum$/, 'quorum'],
  [/^\/async(?:hronous)?$/, 'async'],
  [/^\/read-only-sync(?:hronous)?$/, 'read-only-sync'],
  [/^\/read-only-quorum$/, 'read-only-quorum'],
];

export const classifyCheck = (path: string): CheckKind => {
  if (path === '/') return 'primary';
  return WORDS.find(([pattern]) => pattern.test(path))?.[1] ?? 'unknown';
};

/** Whether the member is what the path asks for, under the conditions of the query. */
export const meetsCheck = (facts: MemberFacts, path: string, query: URLSearchParams): boolean => {
  const kind = classifyCheck(path);
  switch (kind) {
    case 'standby-leader':
      return facts.isStandbyLeader;
    case 'leader':
      return isLeader(facts);
    case 'primary':
      return facts.isPrimary;
    case 'unknown':
      return false;
    default:
      return meetsTagged(facts, kind, query) && hasTags(facts, query);
  }
};

type TaggedKind = Exclude<CheckKind, 'standby-leader' | 'leader' | 'primary' | 'unknown'>;

/** Kinds to which conditions on tags apply. */
const meetsTagged = (facts: MemberFacts, kind: TaggedKind, query: URLSearchParams): boolean => {
  const isReplica = mayServeReads(facts, query);
  const { synchrony, storeIsFresh } = facts;
  switch (kind) {
    case 'replica':
      return isReplica;
    case 'read-only':
      return isLeader(facts) || isReplica;
    case 'health':
      return facts.isRunning;
    case 'sync':
      return storeIsFresh && isReplica && synchrony === 'sync';
    case 'quorum':
      return storeIsFresh && isReplica && synchrony === 'quorum';
    case 'async':
      return storeIsFresh && isReplica && synchrony === 'none';
    case 'read-only-sync':
      return storeIsFresh && (isLeader(facts) || (isReplica && synchrony === 'sync'));
    case 'read-only-quorum':
      return storeIsFresh && (isLeader(facts) || (isReplica && synchrony === 'quorum'));
  }
};

const isLeader = ({ isPrimary, isStandbyLeader }: MemberFacts): boolean =>
  isPrimary || isStandbyLeader;

/** A running standby that the load balancer may use, near enough to the lease holder. */
const mayServeReads = (facts: MemberFacts, query: URLSearchParams): boolean => {
  const { server, view, replicationState } = facts;
  if (!facts.isRunning || server?.inRecovery !== true || facts.isStandbyLeader) return false;
  if (view.state.self.tags.noloadbalance) return false;
  const wanted = query.get('replication_state');
  if (wanted !== null && wanted !== replicationState) return false;
  return !isBehind(facts.replayLagBytes, parseSizeBytes(query.get('lag') ?? ''));
};

/** As in Patroni, a limit that cannot be read is none, and where nothing is known is no lag. */
const isBehind = (lagBytes: bigint | undefined, limitBytes: bigint | undefined): boolean =>
  lagBytes !== undefined && limitBytes !== undefined && lagBytes > limitBytes;

const hasTags = (facts: MemberFacts, query: URLSearchParams): boolean => {
  const tags = publishedTags(facts);
  return [...new Set(query.keys())]
    .filter((key) => key.startsWith('tag_'))
    .every((key) => tags.get(key.slice('tag_'.length)) === query.get(key));
};

const publishedTags = ({ tags }: MemberFacts): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(tags ?? {}).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : encodeJson(value ?? null),
    ]),
  );

/** `/readiness`: the lease holder, or a standby that streams and is near enough. */
export const isReady = (facts: MemberFacts, query: URLSearchParams): boolean => {
  const { view, server } = facts;
  if (!facts.isRunning) return facts.isPrimary;
  if (view.holding) return true;
  if (server?.inRecovery !== true || facts.replicationState !== 'streaming') return false;
  const { maximumLagOnFailoverBytes } = view.state.policy;
  const limitBytes = parseSizeBytes(query.get('lag') ?? '') ?? maximumLagOnFailoverBytes;
  const isWrite = query.get('mode') === 'write';
  return !isBehind(isWrite ? facts.receiveLagBytes : facts.replayLagBytes, limitBytes);
};

/**
 * `/liveness`: the loop goes on, or the cluster is paused. A primary must notice within a ttl,
 * others have time for two.
 */
export const isAlive = ({ view, loopAgeMs, settings }: MemberFacts): boolean => {
  const { ttlMs } = view.state.policy;
  return settings.paused || loopAgeMs <= (view.writable ? ttlMs : 2 * ttlMs);
};
