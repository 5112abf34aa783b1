/**
 * A store outage that promises bridge (rule S9).
 *
 *   lease held ─▶ `failsafe` names the members ─▶ store away ─▶ members asked ─▶ enough promise
 *        ─▶ the deadline is that of the promises ─▶ store back ─▶ the lease counts again
 *
 * Only who is named there can be elected, and who has promised is not, for a while. So the lease
 * may end at the store without anybody taking it.
 */
import { mayAcceptWrites } from '../guard/guard-state.ts';
import { FAILSAFE_IS_OFF, type PromiseRequest, RUNNING_AS_LEADER } from '../model/failsafe.ts';
import type { FailsafePromise } from '../model/failsafe.ts';
import type { Instant } from '../model/instant.ts';
import type { MemberName } from '../model/member.ts';
import { meansYes } from '../model/operating.ts';
import type { JsonObject, LeaseTerm, StoreSnapshot } from '../model/store.ts';
import { votesNeeded } from '../replication/electorate.ts';
import type { MemberState } from '../state.ts';
import { isElectorateUnsettled } from './sync.ts';

const isFailsafeOn = (config: JsonObject | undefined): boolean =>
  meansYes(config?.['failsafe_mode']);

/**
 * The only members that may be elected; undefined: everybody may. A holder of ours has written the
 * document in its term, or does not go by it. One that Patroni has left counts in failsafe mode.
 */
export const namedInStore = (store: StoreSnapshot): readonly string[] | undefined => {
  const { failsafe, holder } = store;
  const names = Object.keys(failsafe?.value ?? {});
  if (failsafe === undefined || names.length === 0) return undefined;
  const counts =
    holder === undefined
      ? isFailsafeOn(store.config?.value)
      : failsafe.modRevision >= holder.modRevision;
  return counts ? names : undefined;
};

/** A primary may be going on by the promises of those who are named, and we are not. */
export const isLeftOut = (self: MemberName, store: StoreSnapshot | undefined): boolean => {
  const named = store === undefined ? undefined : namedInStore(store);
  return named !== undefined && !named.includes(self);
};

/** Everybody who could be elected, as far as the store can come to say; undefined: not known. */
export const membersToAsk = ({
  self,
  snapshot,
  failsafe: { named },
}: MemberState): readonly MemberName[] | undefined => {
  const store = snapshot?.value;
  const inStore = store === undefined ? undefined : namedInStore(store);
  if (named === undefined || inStore === undefined) return undefined;
  if (inStore.some((name) => !named.some((known) => known === name))) return undefined;
  const voters = store?.sync?.value.voters ?? [];
  return [...new Set([...named, ...voters])].filter((name) => name !== self.name);
};

interface Promises {
  readonly promised: Readonly<Record<string, Instant>>;
  /** What a promise asked for with the last round would be worth. */
  readonly roundEnds: Instant;
}

/**
 * Until when nobody else can be elected, because enough have promised; undefined: somebody can.
 * Whoever is elected is named in the document, and has the votes of the electorate if there is one.
 */
export const heldUntil = (
  state: MemberState,
  { promised, roundEnds }: Promises,
): Instant | undefined => {
  const names = membersToAsk(state);
  if (names === undefined) return undefined;
  const ends = (members: readonly MemberName[]): readonly Instant[] =>
    members.flatMap((name) => promised[name] ?? []).sort((a, b) => b - a);
  // Of those who are counted on, the promise that ends first.
  const reach = (members: readonly MemberName[], count: number): Instant | undefined =>
    count <= 0 ? roundEnds : ends(members)[count - 1];
  const byAll = reach(names, names.length);
  const voters = settledVoters(state);
  if (voters === undefined) return byAll;
  const byVoters = reach(voters.names, voters.names.length - voters.needed + 1);
  if (byAll === undefined || byVoters === undefined) return byAll ?? byVoters;
  return byAll > byVoters ? byAll : byVoters;
};

interface Voters {
  readonly names: readonly MemberName[];
  readonly needed: number;
}

/** Who must vote for a winner; undefined: nobody must, or it is not known for certain. */
const settledVoters = (state: MemberState): Voters | undefined => {
  const store = state.snapshot?.value;
  const electorate = store?.sync?.value;
  const { name } = state.self;
  if (electorate?.leader !== name || isElectorateUnsettled({ state, store })) return undefined;
  // A lease that ended unseen may have ended after one more write of ours.
  if (state.tenure === undefined && store?.leader !== undefined) return undefined;
  const names = electorate.voters.filter((voter) => voter !== name);
  // Without voters only we may be elected.
  const needed = names.length === 0 ? Number.POSITIVE_INFINITY : votesNeeded(electorate);
  return { names, needed };
};

/** Until when our server may accept writes, by the lease or by promises (S1, S2). */
export const writeDeadline = ({
  tenure,
  failsafe: { until },
}: MemberState): Instant | undefined => {
  if (tenure === undefined || until === undefined) return tenure?.deadline ?? until;
  return until > tenure.deadline ? until : tenure.deadline;
};

/** Enough have promised in this outage. */
export const isBridged = ({ failsafe: { until, askedAt } }: MemberState): boolean =>
  until !== undefined && askedAt !== undefined;

/**
 * Our server goes on although the leader key is gone: enough have promised, and the store knows of
 * nobody who has held the lease since.
 */
export const goesOnByPromises = (state: MemberState): boolean => {
  const { self, process, failsafe, now } = state;
  const { until } = failsafe;
  if (until === undefined || now >= until || !isBridged(state)) return false;
  if (process.kind !== 'running') return false;
  const { leader, holder } = state.snapshot?.value ?? {};
  if (leader !== undefined && leader.value !== self.name) return false;
  return holder?.value.member === self.name && holder.value.life.run === self.life.run;
};

/** The guard holds the server to the lease alone: who may be elected can be widened. */
export const restsOnLease = ({ tenure, guardDeadline, failsafe }: MemberState): boolean =>
  failsafe.until === undefined &&
  tenure !== undefined &&
  guardDeadline !== undefined &&
  guardDeadline <= tenure.deadline;

/** What this member has promised, as long as it is bound by it. */
export const promiseInForce = ({ failsafe, now }: MemberState): FailsafePromise | undefined =>
  failsafe.promise !== undefined && now < failsafe.promise.until ? failsafe.promise : undefined;

/** The primary it was given to has released that term, or a later one: its server is silent. */
export const isReleased = ({ to, term }: FailsafePromise, { handover }: StoreSnapshot): boolean =>
  handover !== undefined &&
  handover.value.from === to &&
  (term === undefined || handover.value.term >= term);

/** The term the asking primary holds: in its own words, or as the store says. */
export const termAsked = (
  { from, term }: PromiseRequest,
  store: StoreSnapshot | undefined,
): LeaseTerm | undefined => {
  if (term !== undefined || store === undefined) return term;
  const { leader, holder } = store;
  const known =
    leader?.value === from ? leader : holder?.value.member === from ? holder : undefined;
  return known?.modRevision as number | undefined as LeaseTerm | undefined;
};

/** Why this member does not promise; undefined: it does. */
export const whyNotPromise = (state: MemberState, request: PromiseRequest): string | undefined => {
  if (!state.policy.failsafe) return FAILSAFE_IS_OFF;
  if (isLeader(state, request)) return RUNNING_AS_LEADER;
  const store = state.snapshot?.value;
  const acting = state.lanes.lease?.action;
  if (acting?.kind === 'transact' && acting.purpose !== 'confirm')
    return 'it is about to take the lease';
  const term = termAsked(request, store);
  const bound = promiseInForce(state);
  const isBound = bound !== undefined && bound.to === request.from && bound.term === term;
  if (store === undefined && !isBound) return 'it has not read the store yet';
  const later = laterHolder(state, request, term);
  if (later !== undefined) return `${later} has held the lease since`;
  const ended = store?.leader === undefined ? store?.holder?.modRevision : undefined;
  const votes: readonly (number | undefined)[] = [state.vote, state.failsafe.votedBefore];
  if (votes.some((vote) => vote !== undefined && (vote === term || vote === ended)))
    return 'it has voted for a successor';
  return undefined;
};

const isLeader = (state: MemberState, { from }: PromiseRequest): boolean => {
  const { tenure, process, probe, snapshot, self } = state;
  const isPrimary = probe?.value.kind === 'answers' && !probe.value.inRecovery;
  return (
    tenure !== undefined ||
    mayAcceptWrites(process) ||
    (process.kind === 'running' && isPrimary) ||
    from === self.name ||
    snapshot?.value.leader?.value === self.name
  );
};

/** Another one that has held the lease, or was promised to, in a later term. */
const laterHolder = (
  state: MemberState,
  { from }: PromiseRequest,
  term: LeaseTerm | undefined,
): string | undefined => {
  const { leader, holder } = state.snapshot?.value ?? {};
  const since = term ?? 0;
  if (leader !== undefined && leader.value !== from && leader.modRevision > since)
    return leader.value;
  if (holder !== undefined && holder.value.member !== from && holder.modRevision > since)
    return holder.value.member;
  const bound = promiseInForce(state);
  return bound?.to !== undefined && bound.to !== from && (bound.term ?? 0) > since
    ? bound.to
    : undefined;
};

export const describePromise = ({ to }: FailsafePromise): string =>
  `nobody is elected before our promise to ${to ?? 'a primary'} ends`;
