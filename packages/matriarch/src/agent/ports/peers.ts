import type { MemberName, PeerAnswer } from '@matriarch/core';

/** Another member and where its API is: `api_url` as its member key says it. */
export interface PeerAddress {
  readonly name: MemberName;
  readonly apiUrl: string;
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
  close(): void;
}
