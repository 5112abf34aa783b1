/** `GET /failsafe`, and `POST /failsafe` of a primary that has lost the store (rule S9). */
import { randomUUID } from 'node:crypto';
import {
  FAILSAFE_IS_OFF,
  type Lsn,
  type MemberState,
  type OperationAnswer,
  RUNNING_AS_LEADER,
  assembleView,
  lsn,
  maxLsn,
  memberName,
} from '@matriarch/core';
import { failsafeRequest, parseRequest, readPromiseTerms } from '@matriarch/protocol';
import type { ApiLog, ApiSource } from './api-source.ts';
import type { Handler } from './call.ts';
import { type Reply, jsonReply, pageReply, problemReply, textReply } from './reply.ts';

/** Longer than the disk takes to keep a promise; whoever asks has a shorter limit. */
const KEEP_LIMIT_MS = 5_000;

const notActive = (): Reply => pageReply(502, FAILSAFE_IS_OFF);

/** The document in the store, with the address of each member that could be elected. */
export const createFailsafeReader =
  (source: ApiSource): Handler =>
  () => {
    const named = source.state().snapshot?.value.failsafe?.value ?? {};
    return Object.keys(named).length === 0 ? notActive() : jsonReply(200, named);
  };

export const createPromiseHandler =
  ({ source, log }: { readonly source: ApiSource; readonly log: ApiLog }): Handler =>
  async (call) => {
    const body = await call.readBody();
    if (body.kind === 'refused') return body.reply;
    const parsed = parseRequest(failsafeRequest, body.text);
    if (!parsed.ok) return problemReply(parsed.problem);
    const id = randomUUID();
    const { name } = parsed.value;
    const from = memberName(name);
    source.ask({ kind: 'promise', id, from, ...readPromiseTerms(parsed.value) });
    const find = (state: MemberState): OperationAnswer | undefined =>
      state.operating.answers.find((answer) => answer.id === id);
    const watch = { limitMs: KEEP_LIMIT_MS, signal: call.signal };
    const state = await source.watchState((seen) => find(seen) !== undefined, watch);
    const answer = state === undefined ? undefined : find(state);
    if (answer?.kind !== 'done')
      log.warn({ to: name, because: answer?.because ?? 'no answer in time' }, 'promise not given');
    return replyTo(answer, source.state());
  };

const replyTo = (answer: OperationAnswer | undefined, state: MemberState): Reply => {
  if (answer === undefined) return textReply(503, 'the promise is not on disk yet');
  const { kind, because } = answer;
  if (kind === 'done') return textReply(200, because, { lsn: String(heldLsn(state)) });
  if (because === RUNNING_AS_LEADER) return textReply(500, because);
  return because === FAILSAFE_IS_OFF ? notActive() : textReply(503, because);
};

/** How much of the primary's WAL we hold: it may advance our slot to there. */
const heldLsn = (state: MemberState): Lsn => {
  const { server } = assembleView(state);
  return maxLsn(lsn(0), server?.receivedLsn ?? lsn(0), server?.replayedLsn ?? lsn(0));
};
