import { EtcdChannel } from './etcd-channel.ts';
import type { EtcdTls } from './grpc-messages.ts';

/**
 * The members of the store, one connection each. All calls and watches go to one of them, the
 * current one, as long as it works; whoever finds that it does not, leaves it for everybody.
 */
export class EndpointRing {
  readonly #tls: EtcdTls | undefined;
  readonly #channels: EtcdChannel[];
  readonly #listeners = new Set<(left: EtcdChannel) => void>();
  #position = 0;

  constructor(endpoints: readonly string[], tls: EtcdTls | undefined) {
    if (endpoints.length === 0) throw new Error('an etcd client needs at least one endpoint');
    this.#tls = tls;
    this.#channels = endpoints.map((endpoint) => new EtcdChannel(endpoint, tls));
  }

  get size(): number {
    return this.#channels.length;
  }

  get channels(): readonly EtcdChannel[] {
    return this.#channels;
  }

  get current(): EtcdChannel {
    const channel = this.#channels[this.#position];
    if (channel === undefined) throw new Error(`no endpoint at position ${this.#position}`);
    return channel;
  }

  /**
   * Moves on to the next endpoint, unless somebody else already did. A member that was silent gets
   * a new connection: it may be frozen, or gone, behind one that looks alive. The new one stands
   * only when the member itself has spoken, so that nothing is sent into the void again.
   */
  leave(channel: EtcdChannel, remedy: 'elsewhere' | 'reconnect'): void {
    const index = this.#channels.indexOf(channel);
    if (index < 0) return;
    if (remedy === 'reconnect') {
      this.#channels[index] = new EtcdChannel(channel.endpoint, this.#tls);
      channel.retire();
    }
    if (index === this.#position) this.#position = (index + 1) % this.size;
    for (const listener of this.#listeners) listener(channel);
  }

  /** Calls `listener` with each channel that was left. Answers how to stop that. */
  onLeave(listener: (left: EtcdChannel) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    for (const channel of this.#channels) channel.close();
  }
}
