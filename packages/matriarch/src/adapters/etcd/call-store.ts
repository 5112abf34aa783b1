import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptFailure } from './attempt-failure.ts';
import type { Authentication } from './authentication.ts';
import type { EndpointRing } from './endpoint-ring.ts';
import { type Answer, type EtcdChannel, SENDING_NEEDS_MS } from './etcd-channel.ts';
import type { EtcdLimits, EtcdLog } from './etcd-options.ts';
import type { Method } from './grpc-messages.ts';

/**
 * What may be sent again after an attempt that may or may not have been carried out.
 *
 * kind          calls                                  again?   when all attempts were in vain
 * `look`        reads, transactions without writes     yes      failed: there was nothing to effect
 * `repeatable`  grant, keep alive, revoke a lease      yes      unknown
 * `once`        transactions with writes               no       unknown
 *
 * A lease granted twice is one that expires unused; keeping alive and revoking end in the same
 * state however often they are done. A transaction does not. Sent again, its conditions would be
 * compared with the effects of its own first attempt, and "not applied" would be a lie:
 *
 *  1. we send "create the leader key if it is absent" to A; A passes it on and freezes
 *  2. the store carries it out, the answer never comes
 *  3. we send it again to B, which finds the leader key present: "not applied"
 *  4. we are the lease holder and believe that somebody else is
 *
 * Nor does "applied" in step 3 tell that the first one will not come later: a frozen member that
 * thaws may still pass it on (etcd 3.4 did in one of three trials, long after we had canceled it).
 * So it is left to the caller, who has to look anyway, and whose conditions have to make sure that
 * a late one does no harm. An attempt that had certainly no effect (not sent, or refused) does not
 * count: then every call is sent again.
 */
export type Repetition = 'look' | 'repeatable' | 'once';

export interface StoreCall<I extends DescMessage, O extends DescMessage> {
  readonly method: Method<I, O>;
  readonly request: MessageInitShape<I>;
  readonly repetition: Repetition;
}

export type CallOutcome<T> =
  | { readonly kind: 'done'; readonly message: T }
  | { readonly kind: 'failed'; readonly cause: string }
  | { readonly kind: 'unknown'; readonly cause: string };

/** The pause after all members have failed once; it doubles from round to round. */
const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 500;
const ATTEMPTS_MAX = 200;
const REFUSED_TOKENS_MAX = 1;

interface Tally {
  readonly end: number;
  readonly attemptLimitMs: number;
  attempts: number;
  refusedTokens: number;
  /** Some attempt may have been carried out. */
  doubtful: boolean;
  cause: string;
}

/** Carries calls to whichever member answers, within their limits. */
export class StoreCaller {
  readonly #ring: EndpointRing;
  readonly #authentication: Authentication;
  readonly #log: EtcdLog;
  #limits: EtcdLimits;
  #closed = false;
  /** Whether the last attempt succeeded: so an outage is logged once, not once per attempt. */
  #working = true;

  constructor(
    { ring, authentication }: { ring: EndpointRing; authentication: Authentication },
    limits: EtcdLimits,
    log: EtcdLog,
  ) {
    this.#ring = ring;
    this.#authentication = authentication;
    this.#limits = limits;
    this.#log = log;
  }

  /** For calls that begin from now on. */
  setLimits(limits: EtcdLimits): void {
    this.#limits = limits;
  }

  close(): void {
    this.#closed = true;
  }

  async call<I extends DescMessage, O extends DescMessage>(
    call: StoreCall<I, O>,
  ): Promise<CallOutcome<MessageShape<O>>> {
    const { budgetMs, attemptLimitMs } = this.#limits;
    const tally: Tally = {
      end: performance.now() + budgetMs,
      attemptLimitMs,
      attempts: 0,
      refusedTokens: 0,
      doubtful: false,
      cause: `the time limit of ${budgetMs} ms is too short for any attempt`,
    };
    while (await this.#mayTry(tally)) {
      const channel = this.#ring.current;
      const answer = await this.#attempt(call, channel, tally);
      if (answer.kind === 'answered') {
        this.#working = true;
        return { kind: 'done', message: answer.message };
      }
      const goOn = this.#weigh(answer.failure, channel, tally);
      if (!goOn || (tally.doubtful && call.repetition === 'once')) break;
    }
    const mayHaveHappened = tally.doubtful && call.repetition !== 'look';
    return { kind: mayHaveHappened ? 'unknown' : 'failed', cause: tally.cause };
  }

  /** Whether there is time for one more attempt; pauses when all members have had their turn. */
  async #mayTry(tally: Tally): Promise<boolean> {
    if (this.#closed) {
      tally.cause = 'the store client is closed';
      return false;
    }
    if (tally.attempts >= ATTEMPTS_MAX) return false;
    const rounds = tally.attempts / this.#ring.size;
    const isNewRound = rounds > 0 && Number.isInteger(rounds);
    const pauseMs = isNewRound ? Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** (rounds - 1)) : 0;
    if (performance.now() + pauseMs + SENDING_NEEDS_MS > tally.end) return false;
    if (pauseMs > 0) await pause(pauseMs);
    return !this.#closed;
  }

  async #attempt<I extends DescMessage, O extends DescMessage>(
    call: StoreCall<I, O>,
    channel: EtcdChannel,
    tally: Tally,
  ): Promise<Answer<MessageShape<O>>> {
    const end = Math.min(performance.now() + tally.attemptLimitMs, tally.end);
    const token = await this.#authentication.token(channel, end - performance.now());
    if (token.kind === 'lost') return token;
    const options = { token: token.message, limitMs: end - performance.now() };
    const answer = await channel.ask(call.method, call.request, options);
    if (answer.kind === 'lost' && answer.failure.remedy === 'authenticate') {
      this.#authentication.forget(token.message);
    }
    return answer;
  }

  /** Takes a failed attempt into account. False: no further attempt can help. */
  #weigh(failure: AttemptFailure, channel: EtcdChannel, tally: Tally): boolean {
    tally.cause = failure.cause;
    if (failure.effect === 'possible') tally.doubtful = true;
    switch (failure.remedy) {
      case 'none':
        return false;
      case 'authenticate':
        tally.refusedTokens += 1;
        return tally.refusedTokens <= REFUSED_TOKENS_MAX;
      case 'elsewhere':
      case 'reconnect':
        tally.attempts += 1;
        this.#leave(channel, failure);
        return true;
    }
  }

  #leave(channel: EtcdChannel, { cause, remedy }: AttemptFailure): void {
    this.#ring.leave(channel, remedy === 'reconnect' ? 'reconnect' : 'elsewhere');
    if (!this.#working) return;
    this.#working = false;
    this.#log('info', 'store member left', { cause, next: this.#ring.current.endpoint });
  }
}
