import type { AttemptFailure } from './attempt-failure.ts';
import type { Authentication } from './authentication.ts';
import type { EndpointRing } from './endpoint-ring.ts';
import type { EtcdChannel, MessageStream } from './etcd-channel.ts';
import type { EtcdLog } from './etcd-options.ts';
import {
  type WatchRequestSchema,
  type WatchResponse,
  Watch as WatchService,
} from './gen/etcd_pb.ts';
import { rangeOf } from './transaction.ts';

/** How often the member is asked for a sign of life. */
const PROBE_INTERVAL_MS = 500;
/** So many probes without anything heard: the member is frozen, or gone without a word. */
const UNANSWERED_PROBES_MAX = 3;

const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 1_000;
const CONNECT_LIMIT_MS = 1_000;

export interface WatchOptions {
  readonly ring: EndpointRing;
  readonly authentication: Authentication;
  readonly log: EtcdLog;
  readonly prefix: string;
  readonly onChange: () => void;
}

/** Old releases say "permission denied" of a token that has expired, too. */
const judgeCancellation = (
  endpoint: string,
  { compactRevision, cancelReason }: WatchResponse,
): AttemptFailure => {
  const wasCompacted = compactRevision > 0n;
  const reason = wasCompacted ? 'it had fallen behind a compaction' : cancelReason;
  return {
    effect: 'none',
    remedy: wasCompacted ? 'none' : 'authenticate',
    cause: `${endpoint} ended the watch: ${reason || 'no reason given'}`,
  };
};

/**
 * Wakes its owner when something under a prefix may have changed, until it is closed.
 *
 *             ┌──────────────────── after a pause ─────────────────────┐
 *             ▼                                                        │
 *        connecting ── created: wake ──▶ watching ── event: wake       │
 *             │                             │                          │
 *             └── refused, no connection ───┴── ended, silent, ────────┘
 *                                               member left, canceled
 *
 * Each new watch begins with "now", and its owner is woken once it stands. The owner reads, which
 * shows all that happened until then; the watch tells of all that happens after. So nothing is lost
 * in the gap, whether it was compacted or not, and there is no revision to resume from. (Resuming
 * has two traps of its own: progress answers may overtake events, and in some etcd releases a watch
 * that was resumed and saw no event never answers a probe.)
 */
export class Watch {
  readonly #options: WatchOptions;
  readonly #forgetRing: () => void;
  #channel: EtcdChannel | undefined;
  #stream: MessageStream<typeof WatchRequestSchema> | undefined;
  #token: string | undefined;
  #probing: NodeJS.Timeout | undefined;
  #pausing: NodeJS.Timeout | undefined;
  #unanswered = 0;
  #backoffMs = BACKOFF_MIN_MS;
  /** Counts the attempts to watch: what an earlier one still reports is of no interest. */
  #attempt = 0;
  #interrupted = false;
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#forgetRing = options.ring.onLeave((left) => this.#onLeave(left));
    this.#start();
  }

  close(): void {
    this.#closed = true;
    this.#forgetRing();
    this.#stop();
  }

  #start(): void {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const channel = this.#options.ring.current;
    this.#channel = channel;
    this.#open(channel, attempt).catch((error: unknown) => {
      // Only a fault in this client gets here; it must not be swallowed.
      queueMicrotask(() => {
        throw error;
      });
    });
  }

  async #open(channel: EtcdChannel, attempt: number): Promise<void> {
    const unreachable = await channel.connect(CONNECT_LIMIT_MS);
    if (attempt !== this.#attempt || this.#closed) return;
    if (unreachable !== undefined) {
      this.#interrupt(unreachable);
      return;
    }
    const token = await this.#options.authentication.token(channel, CONNECT_LIMIT_MS);
    if (attempt !== this.#attempt || this.#closed) return;
    if (token.kind === 'lost') {
      this.#interrupt(token.failure);
      return;
    }
    this.#watch(channel, token.message);
  }

  #watch(channel: EtcdChannel, token: string | undefined): void {
    const attempt = this.#attempt;
    this.#token = token;
    const stream = channel.open(
      WatchService.method.watch,
      { token },
      {
        onMessage: (message) => {
          if (attempt === this.#attempt) this.#onMessage(channel, message);
        },
        onEnd: (failure) => {
          if (attempt === this.#attempt) this.#interrupt(failure);
        },
      },
    );
    if (attempt !== this.#attempt) return;
    this.#stream = stream;
    stream.send({ request: { case: 'create', value: rangeOf(this.#options.prefix) } });
    this.#unanswered = 0;
    this.#probing = setInterval(() => this.#probe(channel), PROBE_INTERVAL_MS);
  }

  #onMessage(channel: EtcdChannel, message: WatchResponse): void {
    this.#unanswered = 0;
    if (message.canceled) {
      this.#interrupt(judgeCancellation(channel.endpoint, message));
      return;
    }
    if (message.created) {
      this.#backoffMs = BACKOFF_MIN_MS;
      this.#interrupted = false;
    }
    if (message.created || message.events.length > 0) this.#options.onChange();
  }

  /** Counts probes, not time: after a pause of our own process the answers wait to be read. */
  #probe(channel: EtcdChannel): void {
    if (this.#unanswered >= UNANSWERED_PROBES_MAX) {
      const silentMs = this.#unanswered * PROBE_INTERVAL_MS;
      const cause = `${channel.endpoint} did not answer the watch for ${silentMs} ms`;
      this.#interrupt({ effect: 'none', remedy: 'reconnect', cause });
      return;
    }
    this.#unanswered += 1;
    this.#stream?.send({ request: { case: 'progress', value: {} } });
  }

  #onLeave(left: EtcdChannel): void {
    if (left !== this.#channel) return;
    const cause = `${left.endpoint} was left by another call`;
    this.#interrupt({ effect: 'none', remedy: 'none', cause });
  }

  /** Ends what there is and tries again after a pause, at whichever member is the current one. */
  #interrupt({ cause, remedy }: AttemptFailure): void {
    const channel = this.#channel;
    this.#stop();
    if (remedy === 'authenticate') this.#options.authentication.forget(this.#token);
    if (!this.#interrupted) this.#options.log('info', 'store watch interrupted', { cause });
    this.#interrupted = true;
    this.#pausing = setTimeout(() => this.#start(), this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
    if (channel === undefined || remedy === 'none' || remedy === 'authenticate') return;
    this.#options.ring.leave(channel, remedy);
  }

  #stop(): void {
    this.#attempt += 1;
    clearInterval(this.#probing);
    clearTimeout(this.#pausing);
    this.#stream?.close();
    this.#stream = undefined;
    this.#channel = undefined;
  }
}
