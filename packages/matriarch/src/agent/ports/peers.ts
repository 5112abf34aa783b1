import type { MemberName, PeerAnswer, PromiseAnswer } from '@matriarch/core';

/** Another member and where its API is: `api_url` as its member key says it. */
export interface PeerAddress {
  readonly name: MemberName;
  readonly apiUrl: string;
}

/** The body of `POST /failsafe`, and how long is waited for the answers. */
export interface PromiseQuestion {
  readonly body: string;
  readonly limitMs: number;
}

export interface Peers {
  /**
   * Asks all of them at once and answers within the limit: whoever has not answered by then counts
   * as `no-answer`.
   */
  ask(
    peers: readonly PeerAddress[],
    limitMs: number,
  ): Promise<Readonly<Record<string, PeerAnswer>>>;
  /** Asks all of them at once to promise that they will not be elected, within the limit. */
  askPromises(
    peers: readonly PeerAddress[],
    question: PromiseQuestion,
  ): Promise<Readonly<Record<string, PromiseAnswer>>>;
  close(): void;
}
