import { type Lineage, type Upstream } from '@matriarch/core';
import type { Instance } from './instance.ts';
import type { PostgresWorld } from './postgres-world.ts';
import type { SimPostgres } from './sim-postgres.ts';
import { releaseWaiting } from './sync-rep.ts';
import { WalSender } from './wal-sender.ts';
import type { Wal } from './wal.ts';
import { fetchHistory, whyNotStream } from './why-not-stream.ts';
import { slotOf } from './slot-of.ts';

/** `wal_retrieve_retry_interval`, and a little more for a new connection. */
const RETRY_MS = 150;
/** A stream without a sign of life for this long is closed by either end. */
const STREAM_TIMEOUT_MS = 10_000;
/** `wal_receiver_status_interval` */
const KEEP_ALIVE_MS = 1_000;

/** A standby's walreceiver: connects, streams, connects again, for as long as its server lives. */
export class WalReceiver {
  readonly instance: Instance;
  readonly #world: PostgresWorld;
  readonly #host: string;
  readonly #upstream: Upstream;
  readonly #onChange: () => void;
  #sender: WalSender | undefined;
  #heardAt = 0;
  #isClosed = false;
  /** Why the last try did not end in a stream. */
  refusal: string | undefined;
  /** Until then it takes nothing, as a standby with a slow disk. */
  stalledUntil = 0;

  constructor(options: {
    instance: Instance;
    world: PostgresWorld;
    host: string;
    upstream: Upstream;
    onChange: () => void;
  }) {
    this.instance = options.instance;
    this.#world = options.world;
    this.#host = options.host;
    this.#upstream = options.upstream;
    this.#onChange = options.onChange;
    this.#retry(this.#world.random.between(1, 20));
  }

  get isStreaming(): boolean {
    return this.#sender !== undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#disconnect();
  }

  /** Takes what arrived; false when it was not this stream's to take. */
  take(sender: WalSender, wal: Wal, count: number): boolean {
    const { now } = this.#world.kernel;
    const { data } = this.instance;
    if (sender !== this.#sender || this.#isClosed) return false;
    this.#heardAt = now;
    const upstreamData = sender.options.upstream.data;
    const held = wal.countUpTo(data.wal.end);
    if (wal.records[held - 1]?.id !== data.wal.records.at(-1)?.id) this.#reportDivergence(sender);
    for (let index = held; index < count; index += 1) {
      const record = wal.records[index];
      if (record === undefined) break;
      data.wal.append(record, now);
      if (record.timeline === data.lineage.timeline) continue;
      // The upstream was promoted: the walreceiver asks again from where the timeline has ended.
      fetchHistory(data, upstreamData);
      data.lineage = upstreamData.lineage;
    }
    this.instance.hasReceived = true;
    for (const cascaded of this.instance.senders) cascaded.push();
    return true;
  }

  /** The other end has gone and said so. */
  peerClosed(sender: WalSender): void {
    if (sender !== this.#sender) return;
    this.#disconnect();
    this.#retry(RETRY_MS);
  }

  #retry(milliseconds: number): void {
    if (!this.#isClosed) this.instance.process.after(milliseconds, () => this.#connect());
  }

  #connect(): void {
    if (this.#isClosed || this.#sender !== undefined) return;
    const { network, random, serverAt } = this.#world;
    const server = serverAt(this.#upstream.address);
    const target = server?.running;
    const waitMs = RETRY_MS + random.between(0, 100);
    if (server === undefined || target === undefined) {
      this.refusal = 'no connection';
      return this.#retry(waitMs);
    }
    const roundTripMs =
      network.drawLatencyMs(this.#host, server.host) +
      network.drawLatencyMs(server.host, this.#host);
    this.instance.process.after(roundTripMs, () => {
      if (this.#isClosed) return;
      this.refusal = this.#whyRefused(server, target);
      if (this.refusal === undefined) this.#begin(server, target);
      else this.#retry(waitMs);
    });
  }

  #whyRefused(server: SimPostgres, target: Instance): string | undefined {
    const { data } = this.instance;
    if (!this.#world.network.isConnected(this.#host, server.host)) return 'no connection';
    if (server.running !== target || !target.acceptsConnections) return 'no connection';
    if (target.startedAs === 'private') return 'no connection';
    return whyNotStream({ standby: data, upstream: target.data, slotName: this.#slotName() });
  }

  #slotName(): string | undefined {
    return this.#world.pace.useSlots ? slotOf(this.#host) : undefined;
  }

  #begin(server: SimPostgres, target: Instance): void {
    const { data } = this.instance;
    fetchHistory(data, target.data);
    if (mayTakeLineage(data.wal.end, data.lineage, target.data.lineage))
      data.lineage = target.data.lineage;
    const sender = new WalSender(
      {
        kernel: this.#world.kernel,
        network: this.#world.network,
        upstream: target,
        upstreamHost: server.host,
        receiver: this,
        standbyHost: this.#host,
        slotName: this.#slotName(),
        pid: server.machine.issuePid(),
        onReply: (replied) => releaseWaiting(target, replied),
        onAcknowledged: () => server.streamMoved(target),
      },
      data.wal.end,
    );
    this.#sender = sender;
    this.#heardAt = this.#world.kernel.now;
    server.addSender(target, sender);
    this.#onChange();
    this.#keepAlive(sender, server);
    sender.push();
  }

  /** Both ends look now and then whether the other one is still there. */
  #keepAlive(sender: WalSender, server: SimPostgres): void {
    const { kernel, network } = this.#world;
    kernel.after(KEEP_ALIVE_MS, () => {
      const { upstream } = sender.options;
      if (sender.isClosed && (this.#sender !== sender || this.instance.isGone)) return;
      const here = this.instance.process.isRunning;
      const there = upstream.process.isRunning && !sender.isClosed;
      if (here && there && network.isConnected(this.#host, server.host)) {
        this.#heardAt = kernel.now;
        sender.heardAt = kernel.now;
        sender.takeReply();
      }
      if (there && kernel.now - sender.heardAt > STREAM_TIMEOUT_MS)
        server.removeSender(upstream, sender);
      if (here && kernel.now - this.#heardAt > STREAM_TIMEOUT_MS) this.peerClosed(sender);
      this.#keepAlive(sender, server);
    });
  }

  #disconnect(): void {
    const sender = this.#sender;
    if (sender === undefined) return;
    this.#sender = undefined;
    const { upstream, upstreamHost, standbyHost } = sender.options;
    const server = this.#world.serverAt(this.#upstream.address);
    this.#world.network.send({ from: standbyHost, to: upstreamHost }, () =>
      upstream.process.deliver(() => server?.removeSender(upstream, sender)),
    );
    this.#onChange();
  }

  #reportDivergence(sender: WalSender): void {
    const { data } = this.instance;
    this.#world.see({
      kind: 'diverged',
      host: this.#host,
      from: sender.options.upstreamHost,
      timeline: data.lineage.timeline,
      lsn: data.wal.end,
    });
  }
}

/** At the very end of its own timeline a standby goes over to the next one at once. */
const mayTakeLineage = (end: number, own: Lineage, upstream: Lineage): boolean => {
  const left = upstream.ancestors.find(({ timeline }) => timeline === own.timeline);
  return left !== undefined && Number(left.switchLsn) === end;
};
