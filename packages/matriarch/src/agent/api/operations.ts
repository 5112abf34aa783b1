/** `POST /restart` and `POST /reinitialize`: filed with the loop, which decides and answers. */
import { randomUUID } from 'node:crypto';
import type { MemberState, OperationAnswer, OperationRequest } from '@matriarch/core';
import {
  configRequest,
  parseRequest,
  readClusterSettings,
  reinitializeRequest,
} from '@matriarch/protocol';
import { OPERATION_WAIT_MS } from './api-limits.ts';
import type { ApiLog, ApiSource } from './api-source.ts';
import type { Call } from './call.ts';
import { judgeReinitialize, judgeRestart } from './judge-operation.ts';
import { type Reply, problemReply, textReply } from './reply.ts';

export interface Operations {
  /** Answers when PostgreSQL is there again, or will not be in time. */
  restart(call: Call): Promise<Reply>;
  /** No restart of ours is ever scheduled. */
  cancelRestart(): Reply;
  /** Answers when the loop has begun; the clone itself may take hours. */
  reinitialize(call: Call): Promise<Reply>;
}

const LOOK_LIMIT_MS = 2_000;
const OPTIONAL = { isOptional: true } as const;

export const createOperations = ({
  source,
  log,
  lookAfresh,
}: {
  readonly source: ApiSource;
  readonly log: ApiLog;
  /** What the loop knows, with a look at the server that is made now. */
  readonly lookAfresh: () => Promise<MemberState>;
}): Operations => {
  const ask = async (
    request: OperationRequest,
    { client, signal }: Call,
  ): Promise<OperationAnswer | undefined> => {
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

  const restart = async (call: Call): Promise<Reply> => {
    const body = await call.readBody(OPTIONAL);
    if (body.kind === 'refused') return body.reply;
    const parsed = parseRequest(configRequest, body.text, OPTIONAL);
    if (!parsed.ok) return problemReply(parsed.problem);
    await lookAtServer(source, call.signal);
    const state = await lookAfresh();
    const { paused } = readClusterSettings(state.snapshot?.value.config?.value);
    const judged = judgeRestart(state, parsed.value, { paused });
    if ('status' in judged) return judged;
    const answer = await ask({ kind: 'restart', id: randomUUID(), ...judged }, call);
    switch (answer?.kind) {
      case 'done':
        return textReply(200, 'restarted successfully');
      case 'refused':
        return textReply(503, answer.because);
      case 'failed':
        return textReply(503, `restart failed (${answer.because})`);
      case undefined:
        return textReply(503, unknownText('Restart'));
    }
  };

  const reinitialize = async (call: Call): Promise<Reply> => {
    const body = await call.readBody(OPTIONAL);
    if (body.kind === 'refused') return body.reply;
    const parsed = parseRequest(reinitializeRequest, body.text, OPTIONAL);
    if (!parsed.ok) return problemReply(parsed.problem);
    const refused = judgeReinitialize(source.state());
    if (refused !== undefined) return refused;
    const answer = await ask({ kind: 'reinitialize', id: randomUUID() }, call);
    if (answer === undefined) return textReply(503, unknownText('Reinitialize'));
    return answer.kind === 'done'
      ? textReply(200, 'reinitialize started')
      : textReply(503, answer.because);
  };

  return {
    restart,
    reinitialize,
    cancelRestart: () => textReply(404, 'no restarts are scheduled'),
  };
};

/** A server that is looked at anew, after a reload for example, is given a moment to answer. */
const lookAtServer = async (source: ApiSource, signal: AbortSignal): Promise<void> => {
  const isKnown = ({ process, probe }: MemberState): boolean =>
    process.kind !== 'running' || probe !== undefined;
  const watch = { limitMs: LOOK_LIMIT_MS, signal };
  await source.watchState(isKnown, watch);
};

const unknownText = (word: string): string =>
  `${word} status unknown after ${OPERATION_WAIT_MS / 1_000} seconds; ` +
  'operation may still be in progress';
