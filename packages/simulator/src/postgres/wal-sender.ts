import type { Kernel } from '../kernel/kernel.ts';
import type { SimNetwork } from '../network/sim-network.ts';
import type { Instance } from './instance.ts';
import type { WalReceiver } from './wal-receiver.ts';
import type { Wal } from './wal.ts';

/** TCP tries again when a packet was lost. */
const RESEND_MS = 200;
/** How often a receiver that takes nothing looks whether it may again. */
const LOOK_AGAIN_MS = 500;

export interface SenderOptions {
  readonly kernel: Kernel;
  readonly network: SimNetwork;
  readonly upstream: Instance;
  readonly upstreamHost: string;
  readonly receiver: WalReceiver;
  readonly standbyHost: string;
  readonly slotName: string | undefined;
  readonly pid: number;
  readonly onReply: (sender: WalSender) => void;
  readonly onAcknowledged: () => void;
}

/** The upstream's end of one stream: sends whatever is new, one message at a time. */
export class WalSender {
  readonly options: SenderOptions;
  flushedLsn: number;
  sentLsn: number;
  heardAt: number;
  isClosed = false;
  readonly pid: number;
  /** `synchronous_standby_names` as this process has read it. */
  names: string;
  #pending: string | undefined;
  #repliesSinceSignal = 0;
  /** Answers of the standby that were taken; pg_stat_replication shows when the last one came. */
  replies = 0;
  #inFlight = false;

  constructor(options: SenderOptions, startLsn: number) {
    this.options = options;
    this.flushedLsn = startLsn;
    this.sentLsn = startLsn;
    this.heardAt = options.kernel.now;
    this.pid = options.pid;
    this.names = options.upstream.syncNames;
  }

  /** It is signalled to read its configuration, and will, between two answers at the latest. */
  signal(names: string): void {
    this.#pending = names;
    this.#repliesSinceSignal = 0;
  }

  readNames(): void {
    if (this.#pending === undefined) return;
    this.names = this.#pending;
    this.#pending = undefined;
  }

  /** An answer of the standby. The first after a signal may be taken before that is heeded. */
  takeReply(): void {
    this.replies += 1;
    this.#repliesSinceSignal += 1;
    if (this.#repliesSinceSignal >= 2) this.readNames();
    this.options.onReply(this);
  }

  get applicationName(): string {
    return this.options.standbyHost;
  }

  push(): void {
    const { upstream, network, upstreamHost, standbyHost, receiver } = this.options;
    if (this.#inFlight || this.isClosed || upstream.isGone) return;
    const { wal } = upstream.data;
    if (this.sentLsn >= wal.end) return;
    this.#inFlight = true;
    if (!upstream.process.isRunning) return this.#resend();
    const { count, end } = wal;
    const deliver = (): void => {
      receiver.instance.process.deliver(() => this.#arrive(wal, count, end));
      this.#inFlight = false;
      this.sentLsn = Math.max(this.sentLsn, end);
      this.push();
    };
    network.send({ from: upstreamHost, to: standbyHost }, deliver, () => this.#resend());
  }

  #resend(): void {
    this.options.kernel.after(RESEND_MS, () => {
      this.#inFlight = false;
      this.push();
    });
  }

  #arrive(wal: Wal, count: number, end: number): void {
    const { kernel, receiver, network, upstream, upstreamHost, standbyHost } = this.options;
    const stalledMs = receiver.stalledUntil - kernel.now;
    if (stalledMs > 0) {
      const waitMs = Math.min(stalledMs, LOOK_AGAIN_MS);
      return receiver.instance.process.after(waitMs, () => this.#arrive(wal, count, end));
    }
    if (this.isClosed || !receiver.take(this, wal, count)) return;
    network.send({ from: standbyHost, to: upstreamHost }, () =>
      upstream.process.deliver(() => this.#acknowledge(end)),
    );
  }

  #acknowledge(end: number): void {
    const { kernel, upstream, slotName, onAcknowledged } = this.options;
    if (this.isClosed) return;
    this.flushedLsn = Math.max(this.flushedLsn, end);
    this.heardAt = kernel.now;
    const slot = slotName === undefined ? undefined : upstream.data.slots.get(slotName);
    if (slot !== undefined) slot.restartLsn = Math.max(slot.restartLsn, this.flushedLsn);
    this.takeReply();
    onAcknowledged();
  }
}
