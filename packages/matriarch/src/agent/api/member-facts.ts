import {
  type Instant,
  type Lsn,
  type MemberDocument,
  type MemberState,
  type ServerAnswer,
  type View,
  assembleMemberDocument,
  assembleView,
  elapsedMs,
  goesOnByPromises,
  isBridged,
  isSuspended,
  lsn,
  maxLsn,
  promiseInForce,
} from '@matriarch/core';
import {
  type ClusterSettings,
  type ExactJsonObject,
  type Synchrony,
  encodeTags,
  readClusterSettings,
  synchronyOf,
} from '@matriarch/protocol';

/** What the facts are assembled from. */
export interface FactSources {
  readonly scope: string;
  readonly state: MemberState;
  readonly now: Instant;
  readonly wallClockMs: number;
  readonly loopLastRan: Instant;
  /** The postmaster that was last seen out of recovery; it never goes back into it. */
  readonly primaryPid: number | undefined;
}

/** What one member is at this moment, judged once for every kind of answer. */
export interface MemberFacts {
  readonly scope: string;
  readonly view: View;
  readonly settings: ClusterSettings;
  readonly document: MemberDocument;
  /** As they are published; undefined when there is nothing to say. */
  readonly tags: ExactJsonObject | undefined;
  readonly server: ServerAnswer | undefined;
  /** PostgreSQL's own word where it answers, else what the loop remembers. */
  readonly role: string;
  /** It answers and nobody is stopping it. */
  readonly isRunning: boolean;
  /** We hold the lease and our server takes writes. */
  readonly isPrimary: boolean;
  /** We hold the lease of a standby cluster. */
  readonly isStandbyLeader: boolean;
  readonly replicationState: string | undefined;
  /** How the `sync` document names us. */
  readonly synchrony: Synchrony;
  /** The store's documents are younger than a ttl: what they say of others still counts. */
  readonly storeIsFresh: boolean;
  readonly clusterUnlocked: boolean;
  /** Promises bridge an outage of the store: given to us, or by us. */
  readonly failsafeActive: boolean;
  /** The end of WAL of the lease holder, as far as we know; undefined: nothing is known. */
  readonly leaderLsn: Lsn | undefined;
  /** Bytes between `leaderLsn` and what we have replayed. */
  readonly replayLagBytes: bigint | undefined;
  /** The same for what we have received. */
  readonly receiveLagBytes: bigint | undefined;
  /** Seconds since 1970; 0: not yet. */
  readonly storeLastSeen: number;
  readonly loopAgeMs: number;
}

export const assembleMemberFacts = (sources: FactSources): MemberFacts => {
  const { scope, now, state } = sources;
  const view = assembleView({ ...state, now });
  const { server, store, holding } = view;
  const settings = readClusterSettings(store?.config?.value);
  const document = assembleMemberDocument(view);
  const isRunning = document.state === 'running' && !isBeingStopped(state);
  const inRecovery = server?.inRecovery === true;
  const isStandbyLeader = holding && settings.standbyCluster && isRunning && inRecovery;
  const storeIsFresh = isStoreFresh(state, now);
  const leaderLsn = leaderLsnOf(view);
  return {
    scope,
    view,
    settings,
    document,
    tags: encodeTags(state.self.tags),
    server,
    role: roleOf(server, document, isStandbyLeader),
    isRunning,
    // A primary that goes on in a pause, or by promises, is the only one there can be.
    isPrimary:
      (holding || isSuspended(view.state) || goesOnByPromises(view.state)) &&
      !settings.standbyCluster &&
      takesWrites(view, sources),
    isStandbyLeader,
    replicationState: document.replicationState,
    synchrony: ownSynchrony(view, settings),
    storeIsFresh,
    clusterUnlocked: !storeIsFresh || view.holder === undefined,
    failsafeActive: isBridged(view.state) || promiseInForce(view.state) !== undefined,
    leaderLsn,
    replayLagBytes: inRecovery ? lagBytes(leaderLsn, server.replayedLsn) : undefined,
    receiveLagBytes: inRecovery ? lagBytes(leaderLsn, heldLsn(server)) : undefined,
    storeLastSeen: storeLastSeen(sources),
    loopAgeMs: elapsedMs(sources.loopLastRan, now),
  };
};

const isBeingStopped = ({ lanes }: MemberState): boolean =>
  lanes.server?.action.kind === 'stop-server' || lanes.server?.action.kind === 'fence';

/**
 * Out of recovery and not on its way down. A primary that does not answer for a moment is not known
 * to be anything else: taking its sessions away would turn a load peak into an outage. The loop
 * fences it when the silence lasts.
 */
const takesWrites = (view: View, { primaryPid }: FactSources): boolean => {
  const { state, server } = view;
  if (!view.writable || isBeingStopped(state)) return false;
  if (server !== undefined) return !server.inRecovery;
  const isSilent = state.probe?.value.kind === 'no-answer';
  return isSilent && state.process.kind === 'running' && state.process.pid === primaryPid;
};

const roleOf = (
  server: ServerAnswer | undefined,
  document: MemberDocument,
  isStandbyLeader: boolean,
): string => {
  if (isStandbyLeader) return 'standby_leader';
  if (server === undefined) return document.role;
  return server.inRecovery ? 'replica' : 'primary';
};

const ownSynchrony = (view: View, settings: ClusterSettings): Synchrony => {
  if (view.server?.inRecovery !== true) return 'none';
  return synchronyOf(view.state.self.name, view.store?.sync?.value, settings);
};

const isStoreFresh = ({ snapshot, policy }: MemberState, now: Instant): boolean =>
  snapshot !== undefined && elapsedMs(snapshot.at, now) <= policy.ttlMs;

const leaderLsnOf = ({ store, server }: View): Lsn | undefined => {
  const received = server?.inRecovery === true ? server.receivedLsn : undefined;
  const highest = maxLsn(lsn(0), store?.status?.value.optime ?? lsn(0), received ?? lsn(0));
  return highest === 0n ? undefined : highest;
};

const heldLsn = ({ receivedLsn, replayedLsn }: ServerAnswer): Lsn | undefined => {
  if (receivedLsn === undefined || replayedLsn === undefined) return receivedLsn ?? replayedLsn;
  return maxLsn(receivedLsn, replayedLsn);
};

const lagBytes = (leader: Lsn | undefined, own: Lsn | undefined): bigint | undefined => {
  if (leader === undefined) return undefined;
  const lag = leader - (own ?? 0n);
  return lag > 0n ? lag : 0n;
};

const storeLastSeen = ({ state, now, wallClockMs }: FactSources): number => {
  if (state.snapshot === undefined) return 0;
  return Math.floor((wallClockMs - elapsedMs(state.snapshot.at, now)) / 1_000);
};
