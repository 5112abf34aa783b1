/** `/restart` and `POST /reinitialize`: filed with the loop, which decides and answers. */
import { randomUUID } from 'node:crypto';
import type { MemberState } from '@matriarch/core';
import {
  configRequest,
  parseRequest,
  readClusterSettings,
  reinitializeRequest,
} from '@matriarch/protocol';
import type { ApiLog, ApiSource } from './api-source.ts';
import { createAskLoop, unknownReply } from './ask-loop.ts';
import type { Call } from './call.ts';
import {
  type RestartOrder,
  judgeReinitialize,
  judgeRestart,
  readRestartOrder,
} from './judge-operation.ts';
import { type Reply, problemReply, textReply } from './reply.ts';
import { createScheduledRestarts } from './scheduled-restart.ts';

export interface Operations {
  /** Answers when PostgreSQL is there again, or will not be in time; for a later time, at once. */
  restart(call: Call): Promise<Reply>;
  /** Takes back a restart that waits for its time. */
  cancelRestart(call: Call): Promise<Reply>;
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
  const ask = createAskLoop(source, log);
  const scheduled = createScheduledRestarts(source, ask);

  const restartNow = async (order: RestartOrder, call: Call): Promise<Reply> => {
    await lookAtServer(source, call.signal);
    const refused = judgeRestart(await lookAfresh(), order);
    if (refused !== undefined) return refused;
    const { limitMs } = order;
    const answer = await ask({ kind: 'restart', id: randomUUID(), limitMs }, call);
    switch (answer?.kind) {
      case 'done':
        return textReply(200, 'restarted successfully');
      case 'refused':
        return textReply(503, answer.because);
      case 'failed':
        return textReply(503, `restart failed (${answer.because})`);
      case undefined:
        return unknownReply('Restart');
    }
  };

  const restart = async (call: Call): Promise<Reply> => {
    const body = await call.readBody(OPTIONAL);
    if (body.kind === 'refused') return body.reply;
    const parsed = parseRequest(configRequest, body.text, OPTIONAL);
    if (!parsed.ok) return problemReply(parsed.problem);
    const { paused } = readClusterSettings(source.state().snapshot?.value.config?.value);
    const order = readRestartOrder(parsed.value, { paused, wallClockMs: source.wallClockMs() });
    if ('status' in order) return order;
    const { schedule } = order;
    return schedule === undefined
      ? restartNow(order, call)
      : scheduled.schedule({ ...order, schedule }, call);
  };

  const reinitialize = async (call: Call): Promise<Reply> => {
    const body = await call.readBody(OPTIONAL);
    if (body.kind === 'refused') return body.reply;
    const parsed = parseRequest(reinitializeRequest, body.text, OPTIONAL);
    if (!parsed.ok) return problemReply(parsed.problem);
    const refused = judgeReinitialize(source.state());
    if (refused !== undefined) return refused;
    const answer = await ask({ kind: 'reinitialize', id: randomUUID() }, call);
    if (answer === undefined) return unknownReply('Reinitialize');
    return answer.kind === 'done'
      ? textReply(200, 'reinitialize started')
      : textReply(503, answer.because);
  };

  return { restart, reinitialize, cancelRestart: (call) => scheduled.cancel(call) };
};

/** A server that is looked at anew, after a reload for example, is given a moment to answer. */
const lookAtServer = async (source: ApiSource, signal: AbortSignal): Promise<void> => {
  const isKnown = ({ process, probe }: MemberState): boolean =>
    process.kind !== 'running' || probe !== undefined;
  const watch = { limitMs: LOOK_LIMIT_MS, signal };
  await source.watchState(isKnown, watch);
};
