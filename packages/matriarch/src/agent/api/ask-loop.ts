import type {
  MemberState,
  OperationAnswer,
  OperationRequest,
  ScheduleRequest,
} from '@matriarch/core';
import { OPERATION_WAIT_MS } from './api-limits.ts';
import type { ApiLog, ApiSource } from './api-source.ts';
import type { Call } from './call.ts';
import { type Reply, textReply } from './reply.ts';

/** Hands a request to the loop and waits for its answer; undefined: none came in time. */
export type AskLoop = (
  request: OperationRequest | ScheduleRequest,
  call: Call,
) => Promise<OperationAnswer | undefined>;

export const createAskLoop =
  (source: ApiSource, log: ApiLog): AskLoop =>
  async (request, { client, signal }) => {
    const { kind, id } = request;
    log.info({ operation: kind, client }, 'operation requested');
    source.ask(request);
    const find = (state: MemberState): OperationAnswer | undefined =>
      state.operating.answers.find((answer) => answer.id === id);
    const limitMs = OPERATION_WAIT_MS;
    const state = await source.watchState((seen) => find(seen) !== undefined, { limitMs, signal });
    const answer = state === undefined ? undefined : find(state);
    log.info({ operation: kind, answer: answer?.kind, said: answer?.because }, 'operation ended');
    return answer;
  };

export const unknownReply = (word: string): Reply =>
  textReply(
    503,
    `${word} status unknown after ${OPERATION_WAIT_MS / 1_000} seconds; ` +
      'operation may still be in progress',
  );
