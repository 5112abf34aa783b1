import {
  type ClientDuplexStream,
  type ServiceError,
  Client,
  connectivityState,
  status,
} from '@grpc/grpc-js';
import {
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  create,
} from '@bufbuild/protobuf';
import {
  type AttemptFailure,
  describeClosing,
  describeSilence,
  describeUnsent,
  judgeCallError,
} from './attempt-failure.ts';
import { Maintenance } from './gen/etcd_pb.ts';
import {
  type EtcdTls,
  type Method,
  type RequestHeaders,
  CHANNEL_OPTIONS,
  addressOf,
  credentialsFor,
  deserialize,
  metadataOf,
  pathOf,
  serialize,
} from './grpc-messages.ts';

export type Answer<T> =
  | { readonly kind: 'answered'; readonly message: T }
  | { readonly kind: 'lost'; readonly failure: AttemptFailure };

export interface AskOptions extends RequestHeaders {
  /** Time for connecting, sending and the answer together. */
  readonly limitMs: number;
}

export interface StreamHandlers<O extends DescMessage> {
  readonly onMessage: (message: MessageShape<O>) => void;
  /** Called once, unless the stream was closed from our side before. */
  readonly onEnd: (failure: AttemptFailure) => void;
}

export interface MessageStream<I extends DescMessage> {
  send(message: MessageInitShape<I>): void;
  close(): void;
}

/** What is left of a limit must allow for a round trip, or the answer is lost on purpose. */
export const SENDING_NEEDS_MS = 20;

const EXPLANATION_LIMIT_MS = 100;

/** gRPC wraps the reason into its own words and a time. */
const reasonIn = (cause: string): string =>
  /Last error: (?:Error: )?(.*?)(?: \(\d{4}-|\. Resolution note|$)/u.exec(cause)?.[1] ?? cause;

const lost = (failure: AttemptFailure) => ({ kind: 'lost', failure }) as const;

/** One connection to one member of the store. */
export class EtcdChannel {
  readonly endpoint: string;
  readonly #client: Client;
  /** How to end each call and stream under way. */
  readonly #underWay = new Set<() => void>();
  #retired = false;

  constructor(endpoint: string, tls: EtcdTls | undefined) {
    this.endpoint = endpoint;
    this.#client = new Client(addressOf(endpoint), credentialsFor(endpoint, tls), CHANNEL_OPTIONS);
  }

  /** Undefined when the connection stands; else why nothing can be sent. */
  async connect(limitMs: number): Promise<AttemptFailure | undefined> {
    const end = performance.now() + limitMs;
    while (!this.#retired) {
      const state = this.#client.getChannel().getConnectivityState(true);
      if (state === connectivityState.READY) return undefined;
      const restMs = end - performance.now();
      if (state === connectivityState.TRANSIENT_FAILURE) {
        return describeUnsent(this.endpoint, await this.#explain(restMs));
      }
      if (restMs <= 0) {
        return describeUnsent(this.endpoint, `no connection within ${Math.round(limitMs)} ms`);
      }
      await this.#stateChange(state, restMs);
    }
    return this.#describeRetired();
  }

  /**
   * One request, one answer. Also right for a method that is a stream in etcd's definition: with a
   * single message each way there is no difference on the wire.
   */
  async ask<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
    options: AskOptions,
  ): Promise<Answer<MessageShape<O>>> {
    const end = performance.now() + options.limitMs;
    const unsent = await this.connect(options.limitMs);
    if (unsent !== undefined) return lost(unsent);
    const limitMs = end - performance.now();
    if (limitMs < SENDING_NEEDS_MS) {
      return lost(describeUnsent(this.endpoint, 'connecting took all of the time limit'));
    }
    return this.#send(method, request, { ...options, limitMs });
  }

  /**
   * Opens a stream that nothing limits in time. To be called when `connect` has just succeeded;
   * otherwise it ends at once.
   */
  open<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    headers: RequestHeaders,
    handlers: StreamHandlers<O>,
  ): MessageStream<I> {
    if (this.#retired) {
      handlers.onEnd(this.#describeRetired());
      return { send: () => {}, close: () => {} };
    }
    const stream: ClientDuplexStream<
      MessageShape<I>,
      MessageShape<O>
    > = this.#client.makeBidiStreamRequest(
      pathOf(method),
      serialize(method.input),
      deserialize(method.output),
      metadataOf(headers),
    );
    let ended = false;
    const finish = (failure: AttemptFailure | undefined): void => {
      if (ended) return;
      ended = true;
      this.#underWay.delete(close);
      stream.cancel();
      if (failure !== undefined) handlers.onEnd(failure);
    };
    const close = (): void => finish(undefined);
    this.#underWay.add(close);
    stream.on('data', (message: MessageShape<O>) => {
      if (!ended) handlers.onMessage(message);
    });
    stream.on('error', (error: ServiceError) => finish(judgeCallError(this.endpoint, error)));
    stream.on('end', () =>
      finish(judgeCallError(this.endpoint, { code: status.OK, details: 'end of stream' })),
    );
    return {
      send: (message) => {
        if (!ended) stream.write(create(method.input, message));
      },
      close,
    };
  }

  /** Takes no new calls; those under way may end by themselves, and then the connection closes. */
  retire(): void {
    this.#retired = true;
    this.#client.close();
  }

  close(): void {
    for (const end of this.#underWay) end();
    this.retire();
  }

  async #send<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
    options: AskOptions,
  ): Promise<Answer<MessageShape<O>>> {
    if (this.#retired) return lost(this.#describeRetired());
    return new Promise((resolve) => {
      const call = this.#client.makeUnaryRequest(
        pathOf(method),
        serialize(method.input),
        deserialize(method.output),
        create(method.input, request),
        metadataOf(options),
        (error, message) => {
          if (message !== undefined) finish({ kind: 'answered', message });
          else if (error !== null) finish(lost(judgeCallError(this.endpoint, error)));
        },
      );
      const abandon = (failure: AttemptFailure): void => {
        finish(lost(failure));
        call.cancel();
      };
      const close = (): void => abandon(describeClosing(this.endpoint));
      // Not gRPC's own deadline: that one counts on the wall clock, which may step.
      const timer = setTimeout(
        () => abandon(describeSilence(this.endpoint, options.limitMs)),
        options.limitMs,
      );
      const finish = (answer: Answer<MessageShape<O>>): void => {
        clearTimeout(timer);
        this.#underWay.delete(close);
        resolve(answer);
      };
      this.#underWay.add(close);
    });
  }

  /** gRPC tells a call alone why there is no connection. Should this one get through, no harm. */
  async #explain(restMs: number): Promise<string> {
    const limitMs = Math.min(Math.max(restMs, 1), EXPLANATION_LIMIT_MS);
    const answer = await this.#send(Maintenance.method.status, {}, { limitMs, leaderless: true });
    return answer.kind === 'lost' ? reasonIn(answer.failure.cause) : 'it has only just come back';
  }

  async #stateChange(state: connectivityState, limitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = new Date(Date.now() + limitMs);
      this.#client.getChannel().watchConnectivityState(state, end, () => resolve());
    });
  }

  #describeRetired(): AttemptFailure {
    return describeUnsent(this.endpoint, 'the connection was given up');
  }
}
