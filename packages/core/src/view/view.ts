import { mayAcceptWrites } from '../guard/guard-state.ts';
import { type Instant, after, elapsedMs } from '../model/instant.ts';
import type { MemberName } from '../model/member.ts';
import type { PeerAnswer } from '../model/peer.ts';
import { renewalIntervalMs } from '../model/policy.ts';
import type { DiskContent, ServerAnswer, Upstream } from '../model/server.ts';
import type {
  LeaseTerm,
  MemberDocument,
  StoreSnapshot,
  SyncDocument,
  Versioned,
} from '../model/store.ts';
import type { WalPosition } from '../model/wal-position.ts';
import type { MemberState } from '../state.ts';
import { writeDeadline } from './failsafe.ts';

/** Who the store says holds the lease. */
export interface Holder {
  readonly name: MemberName;
  readonly isMe: boolean;
  readonly document: MemberDocument | undefined;
  /** Where its PostgreSQL is reached; undefined while it has not said so. */
  readonly upstream: Upstream | undefined;
}

/**
 * What a member's facts amount to, judged once per step. Rules read this and nothing else.
 */
export interface View {
  readonly state: MemberState;
  readonly now: Instant;
  /** The store's documents, however old; absent until the first read. */
  readonly store: StoreSnapshot | undefined;
  /** The store has not answered for longer than one of its calls may take. */
  readonly storeIsOut: boolean;
  readonly holder: Holder | undefined;
  /** We hold the lease and our deadline has not passed: its own, or that of promises (S2, S9). */
  readonly holding: boolean;
  /** Time left until our deadline; 0 when there is none. */
  readonly remainingMs: number;
  /** The running server may accept writes, judged by how it was started. */
  readonly writable: boolean;
  /** The running server's last answer. */
  readonly server: ServerAnswer | undefined;
  /** No process of PostgreSQL is left (rule S4). */
  readonly silent: boolean;
  /** The silent data directory, once it has been looked at. */
  readonly data: Extract<DiskContent, { kind: 'data' }> | undefined;
  /** The store's system identifier of this cluster; undefined: not initialised. */
  readonly systemIdentifier: string | undefined;
  readonly otherMembers: readonly MemberName[];
  /** Who may be elected so that no acknowledged commit is lost (rule S6); undefined: anybody. */
  readonly electorate: SyncDocument | undefined;
}

export const assembleView = (state: MemberState): View => {
  const { now, tenure, process, probe, disk } = state;
  const store = state.snapshot?.value;
  const deadline = tenure === undefined ? undefined : writeDeadline(state);
  const holding = deadline !== undefined && now < deadline;
  const silent = process.kind === 'none' && process.silent;
  const content = silent ? disk?.value.content : undefined;
  return {
    state,
    now,
    store,
    storeIsOut: isStoreOut(state),
    holder: assembleHolder(state, store?.leader),
    holding,
    remainingMs: holding ? elapsedMs(now, deadline) : 0,
    writable: mayAcceptWrites(process),
    server: process.kind === 'running' && probe?.value.kind === 'answers' ? probe.value : undefined,
    silent,
    data: content?.kind === 'data' ? content : undefined,
    systemIdentifier: store?.initialize?.value === '' ? undefined : store?.initialize?.value,
    otherMembers: Object.keys(store?.members ?? {}).filter(
      (name): name is MemberName => name !== state.self.name,
    ),
    electorate: store?.sync?.value.leader === undefined ? undefined : store.sync.value,
  };
};

const isStoreOut = ({ storeFailingSince, now, policy }: MemberState): boolean =>
  storeFailingSince !== undefined &&
  elapsedMs(storeFailingSince, now) >= Math.min(policy.retryTimeoutMs, policy.ttlMs / 2);

const assembleHolder = (
  state: MemberState,
  leader: Versioned<MemberName> | undefined,
): Holder | undefined => {
  if (leader === undefined) return undefined;
  const document = state.snapshot?.value.members[leader.value]?.value;
  const address = document === undefined ? undefined : addressIn(document.connUrl);
  return {
    name: leader.value,
    isMe: leader.value === state.self.name,
    document,
    upstream: address === undefined ? undefined : { member: leader.value, address },
  };
};

/** `host:port` of a `postgres://host:port/database` URL. */
export const addressIn = (connUrl: string): string | undefined =>
  /^postgres(?:ql)?:\/\/(?:[^@/]*@)?([^/?]+)/.exec(connUrl)?.[1];

/** Where our running standby stands, when it knows. */
export const ownPosition = (view: View): WalPosition | undefined =>
  view.server?.position.known === true ? view.server.position.position : undefined;

/**
 * The term that ended when the lease became free. A vote is for the election that follows it: the
 * holder record is written with every acquisition and outlives the leader key.
 */
export const endedTerm = ({ store }: View): LeaseTerm | undefined => {
  if (store === undefined || store.leader !== undefined) return undefined;
  return store.holder?.modRevision as number | undefined as LeaseTerm | undefined;
};

/** How often the world is looked at when nothing wakes the loop. */
export const lookIntervalMs = ({ policy }: MemberState): number =>
  Math.min(renewalIntervalMs(policy), policy.loopWaitMs);

/** Answers of peers that were asked at or after `since`; undefined when they must be asked. */
export const peersSince = (
  view: View,
  since: Instant,
): Readonly<Record<string, PeerAnswer>> | undefined => {
  const { peers } = view.state;
  return peers !== undefined && peers.at >= since ? peers.value : undefined;
};

export const hasPassed = (view: View, since: Instant, limitMs: number): boolean =>
  view.now >= after(since, limitMs);
