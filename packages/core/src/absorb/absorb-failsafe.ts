/** Promises: those that we get when the store is away, and those that we give (rule S9). */
import { mayAcceptWrites } from '../guard/guard-state.ts';
import type { ActionOf, Results } from '../model/action.ts';
import type { FoundPromise, PromiseRequest } from '../model/failsafe.ts';
import { type Instant, after } from '../model/instant.ts';
import type { MemberName } from '../model/member.ts';
import { type OperationAnswer, withAnswer } from '../model/operating.ts';
import { deadlineOf } from '../model/policy.ts';
import type { StoreSnapshot, StoreTransaction } from '../model/store.ts';
import type { Draft, InFlight } from '../state.ts';
import {
  heldUntil,
  isReleased,
  termAsked,
  whyNotPromise,
  writeDeadline,
} from '../view/failsafe.ts';

/**
 * What members have answered. A promise is worth a ttl from before it was asked for, less the
 * margin, as a lease is. Once the deadline has passed nothing brings it back.
 */
export const absorbPromises = (
  draft: Draft,
  { action, sentAt }: InFlight,
  { given }: Results['ask-promises'],
): void => {
  if (action.kind !== 'ask-promises') return;
  const { failsafe, now } = draft;
  const deadline = writeDeadline(draft);
  const roundEnds = deadlineOf(sentAt, action.ttlMs);
  const promised: Record<string, Instant> = { ...failsafe.promised };
  const refusals: Record<string, string> = {};
  for (const [name, answer] of Object.entries(given)) {
    const before = promised[name];
    if (answer.kind === 'refused') refusals[name] = answer.because;
    else if (answer.kind === 'no-answer') refusals[name] = answer.cause;
    else if (before === undefined || before < roundEnds) promised[name] = roundEnds;
  }
  draft.failsafe = { ...failsafe, promised, refusals };
  if (deadline === undefined || now >= deadline) return;
  const until = heldUntil(draft, { promised, roundEnds });
  if (until === undefined || until <= Math.max(now, failsafe.until ?? 0)) return;
  draft.failsafe = { ...draft.failsafe, until };
};

/** The outage is over, or not bridged any more: from here on only the lease counts. */
const endBridge = (draft: Draft): void => {
  const { until, askedAt } = draft.failsafe;
  if (until === undefined && askedAt === undefined) return;
  draft.failsafe = {
    ...draft.failsafe,
    promised: {},
    refusals: {},
    askedAt: undefined,
    until: undefined,
  };
};

/** The lease is known to be alive: promises are over once it carries as far as they did. */
export const absorbLeaseCarries = (draft: Draft): void => {
  const { failsafe, tenure } = draft;
  if (tenure === undefined) return;
  if (failsafe.until === undefined || failsafe.until <= tenure.deadline) endBridge(draft);
};

/**
 * The lease was taken. By a server that has gone on: what was promised holds. By another one: those
 * who may be elected after it are others, and have promised nothing.
 */
export const absorbLeaseTaken = (draft: Draft): void => {
  if (mayAcceptWrites(draft.process)) absorbLeaseCarries(draft);
  else endBridge(draft);
};

export const absorbBridgeTime = (draft: Draft): void => {
  const { until } = draft.failsafe;
  if (until !== undefined && draft.now >= until) endBridge(draft);
};

/** We have given the lease back, and members that see it are free again. */
export const forgetPromises = endBridge;

/**
 * A lease that we find to be ours: what a loop before us has written is not known, nor what the
 * deadline of the guard rests on.
 */
export const absorbInherited = (draft: Draft): void => {
  endBridge(draft);
  draft.failsafe = { ...draft.failsafe, named: undefined, until: draft.guardDeadline };
};

/** What the store says of who may be elected, now that a transaction of ours has been applied. */
export const absorbNamed = (draft: Draft, { writes }: StoreTransaction): void => {
  const write = writes.find((one) => 'key' in one && one.key === 'failsafe');
  if (write === undefined || !('key' in write) || write.key !== 'failsafe') return;
  const named = 'put' in write ? (Object.keys(write.put) as MemberName[]) : undefined;
  draft.failsafe = { ...draft.failsafe, named };
};

const answer = (draft: Draft, given: OperationAnswer): void => {
  draft.operating = withAnswer(draft.operating, given);
};

/** In force from now on; the answer waits until it is on disk. */
export const absorbPromiseRequest = (draft: Draft, request: PromiseRequest): void => {
  const { id, from } = request;
  const because = whyNotPromise(draft, request);
  if (because !== undefined) return answer(draft, { id, kind: 'refused', because });
  const { failsafe, now, policy } = draft;
  const ttlMs = request.ttlMs ?? policy.ttlMs;
  const until = after(now, ttlMs);
  const before = failsafe.promise?.until ?? until;
  draft.failsafe = {
    ...failsafe,
    toAnswer: [...failsafe.toAnswer, id],
    promise: {
      to: from,
      term: termAsked(request, draft.snapshot?.value),
      ttlMs,
      until: before > until ? before : until,
    },
  };
};

export const absorbKept = (draft: Draft, { ids }: ActionOf<'keep-promise'>): void => {
  settle(draft, ids);
  for (const id of ids) answer(draft, { id, kind: 'done', because: 'Accepted' });
};

export const absorbNotKept = (
  draft: Draft,
  { ids }: ActionOf<'keep-promise'>,
  cause: string,
): void => {
  settle(draft, ids);
  for (const id of ids) answer(draft, { id, kind: 'failed', because: cause });
};

const settle = (draft: Draft, ids: readonly string[]): void => {
  const toAnswer = draft.failsafe.toAnswer.filter((id) => !ids.includes(id));
  draft.failsafe = { ...draft.failsafe, toAnswer };
};

/** What a loop before this one has promised. A clock of another boot says nothing: all of it. */
export const absorbFoundPromise = (draft: Draft, { until, ...found }: FoundPromise): void => {
  const promise = { ...found, until: until ?? after(draft.now, found.ttlMs) };
  draft.failsafe = { ...draft.failsafe, promise };
};

/** The first look at the store shows our vote of before; any look may show that we are free. */
export const absorbFreedom = (draft: Draft, snapshot: StoreSnapshot): void => {
  const { failsafe, self } = draft;
  if (draft.snapshot === undefined) {
    const votedBefore = snapshot.members[self.name]?.value.vote;
    draft.failsafe = { ...failsafe, votedBefore };
  }
  const { promise } = draft.failsafe;
  if (promise !== undefined && isReleased(promise, snapshot))
    draft.failsafe = { ...draft.failsafe, promise: undefined };
};

/** Counted from when this loop has seen it: after an outage all keys may be gone for a moment. */
export const absorbMissing = (draft: Draft, { failsafe, members }: StoreSnapshot): void => {
  const before = draft.failsafe.missingSince;
  const missing = Object.keys(failsafe?.value ?? {}).filter((name) => members[name] === undefined);
  if (missing.length === 0 && Object.keys(before).length === 0) return;
  const missingSince = Object.fromEntries(missing.map((name) => [name, before[name] ?? draft.now]));
  draft.failsafe = { ...draft.failsafe, missingSince };
};
