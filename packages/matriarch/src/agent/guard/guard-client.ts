/** The loop's side of the channel to its guard (rule S3). */
import type { GuardAnswer, GuardMessage, GuardNotice, LoopMessage } from '@matriarch/core';
import {
  type Guard,
  type GuardEvents,
  type GuardReply,
  INCARNATION_VARIABLE,
} from '../ports/guard.ts';

/** The guard kills a loop that is silent for ten of these. */
export const BEAT_MS = 1_000;
/** The guard answers these at once; more would only delay the loop's own measures. */
const ANSWER_LIMIT_MS = 1_000;
/** A start is answered when the process exists, not when it accepts connections. */
const START_LIMIT_MS = 5_000;
/** A fence has its own limit of 2 s in the guard. */
const FENCE_LIMIT_MS = 3_000;
/** What harder means may take after a stop's own limit. */
const STOP_EXTRA_MS = 5_000;

/** The part of Node's `process` that is the channel. */
export interface GuardChannel {
  readonly connected: boolean;
  send?(message: LoopMessage, callback: (error: Error | null) => void): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Request = Exclude<LoopMessage, { kind: 'beat' }>;
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;
type Answered<K extends GuardAnswer['kind']> = Omit<
  Extract<GuardAnswer, { kind: K }>,
  'kind' | 'id'
>;

interface Waiting {
  readonly answer: (answer: GuardAnswer) => void;
  readonly giveUp: (cause: string) => void;
}

const NOTICES: Readonly<Record<GuardNotice['kind'], true>> = {
  hello: true,
  'server-exited': true,
  'guard-fenced': true,
  signal: true,
};

const isNotice = (message: GuardMessage): message is GuardNotice => message.kind in NOTICES;

class ChannelGuard implements Guard {
  readonly incarnation: number;
  readonly #channel: GuardChannel;
  readonly #events: GuardEvents;
  readonly #waiting = new Map<number, Waiting>();
  readonly #beat: NodeJS.Timeout;
  #nextId = 1;
  #isLost = false;

  constructor(channel: GuardChannel, events: GuardEvents) {
    this.incarnation = Number(channel.env[INCARNATION_VARIABLE] ?? Number.NaN);
    this.#channel = channel;
    this.#events = events;
    channel.on('message', (message) => this.#receive(message as GuardMessage));
    channel.on('disconnect', () => this.#lose());
    this.#beat = setInterval(() => this.#send({ kind: 'beat' }), BEAT_MS).unref();
    // The guard may have died before we listened: then no event tells.
    if (!channel.connected) queueMicrotask(() => this.#lose());
  }

  async extend(request: Parameters<Guard['extend']>[0]): ReturnType<Guard['extend']> {
    const reply = await this.#ask({ kind: 'extend', ...request }, 'deadline', ANSWER_LIMIT_MS);
    // Undefined does not travel: its absence is the message.
    return reply.kind === 'done' ? { kind: 'done', deadline: reply.deadline } : reply;
  }

  suspend(request: Parameters<Guard['suspend']>[0]): ReturnType<Guard['suspend']> {
    return this.#ask({ kind: 'suspend', ...request }, 'suspended', ANSWER_LIMIT_MS);
  }

  start(request: Parameters<Guard['start']>[0]): ReturnType<Guard['start']> {
    return this.#ask({ kind: 'start', ...request }, 'started', START_LIMIT_MS);
  }

  adopt(request: Parameters<Guard['adopt']>[0]): Promise<GuardReply> {
    return this.#ask({ kind: 'adopt', ...request }, 'done', ANSWER_LIMIT_MS);
  }

  stop(request: Parameters<Guard['stop']>[0]): ReturnType<Guard['stop']> {
    return this.#ask({ kind: 'stop', ...request }, 'stopped', request.limitMs + STOP_EXTRA_MS);
  }

  fence(request: Parameters<Guard['fence']>[0]): ReturnType<Guard['fence']> {
    return this.#ask({ kind: 'fence', ...request }, 'fenced', FENCE_LIMIT_MS);
  }

  promote(): Promise<GuardReply> {
    return this.#ask({ kind: 'promote' }, 'done', ANSWER_LIMIT_MS);
  }

  reload(): Promise<GuardReply> {
    return this.#ask({ kind: 'reload' }, 'done', ANSWER_LIMIT_MS);
  }

  leave(status: number): Promise<GuardReply> {
    return this.#ask({ kind: 'leave', status }, 'done', ANSWER_LIMIT_MS);
  }

  close(): void {
    clearInterval(this.#beat);
  }

  #ask<K extends GuardAnswer['kind']>(
    request: Unnumbered<Request>,
    expected: K,
    limitMs: number,
  ): Promise<GuardReply<Answered<K>>> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve) => {
      const finish = (reply: GuardReply<Answered<K>>): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(reply);
      };
      const giveUp = (cause: string): void => finish({ kind: 'unknown', cause });
      const timer = setTimeout(() => giveUp(`no answer within ${limitMs} ms`), limitMs);
      const answer = (message: GuardAnswer): void => finish(toReply(message, expected));
      this.#waiting.set(id, { answer, giveUp });
      if (this.#isLost) giveUp('the guard is gone');
      else this.#send({ ...request, id });
    });
  }

  /** An error is not looked at: either the channel is gone, or the answer will be missed. */
  #send(message: LoopMessage): void {
    if (this.#channel.connected) this.#channel.send?.(message, () => undefined);
  }

  #receive(message: GuardMessage): void {
    if (isNotice(message)) this.#events.onNotice(message);
    else this.#waiting.get(message.id)?.answer(message);
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.close();
    for (const { giveUp } of this.#waiting.values()) giveUp('the guard is gone');
    this.#events.onLost();
  }
}

const toReply = <K extends GuardAnswer['kind']>(
  answer: GuardAnswer,
  expected: K,
): GuardReply<Answered<K>> => {
  if (answer.kind === 'refused') return { kind: 'refused', cause: answer.cause };
  if (answer.kind !== expected) return { kind: 'unknown', cause: `answered ${answer.kind}` };
  const { kind: _kind, id: _id, ...content } = answer;
  return { ...(content as unknown as Answered<K>), kind: 'done' };
};

/** To be called at the very start of the loop, so that the hello is not missed. */
export const connectGuard = (channel: GuardChannel, events: GuardEvents): Guard =>
  new ChannelGuard(channel, events);
