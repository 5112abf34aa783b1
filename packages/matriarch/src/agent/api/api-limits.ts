import { REQUEST_BODY_LIMIT_BYTES } from '@matriarch/protocol';

/** Everything a client can make us hold or wait for, and how much of it. */
export interface ApiLimits {
  readonly headerBytes: number;
  readonly bodyBytes: number;
  /** Time a client may take to send its headers. */
  readonly headersMs: number;
  /** Time a client may take to send a whole request. */
  readonly requestMs: number;
  /** A connection without a request is closed after this time. */
  readonly idleMs: number;
  /** A connection on which nothing moves at all, whatever it is doing, is closed. */
  readonly silenceMs: number;
  readonly handshakeMs: number;
  /** How often the limits above are looked at. */
  readonly checkMs: number;
  readonly connections: number;
  /** So that one client alone cannot keep all others out. */
  readonly connectionsOfOneAddress: number;
  /** Requests that wait for a switchover at the same time. */
  readonly waiting: number;
  /** Time open requests are given when the API stops. */
  readonly stopMs: number;
}

export const defaultLimits: ApiLimits = {
  headerBytes: 16_384,
  bodyBytes: REQUEST_BODY_LIMIT_BYTES,
  headersMs: 5_000,
  requestMs: 10_000,
  idleMs: 30_000,
  silenceMs: 60_000,
  handshakeMs: 5_000,
  checkMs: 500,
  connections: 512,
  connectionsOfOneAddress: 128,
  waiting: 16,
  stopMs: 1_000,
};

/**
 * How long the fresh look for `/patroni` may take. Whoever asks in an election waits for nobody
 * longer than 50 ms.
 */
export const FRESH_LOOK_LIMIT_MS = 40;
/** A snapshot older than this is read anew before it is shown as the cluster. */
export const CLUSTER_FRESH_MS = 1_000;
/** A restart is waited for as long as this, then it goes on without anybody waiting. */
export const OPERATION_WAIT_MS = 120_000;
/** Requests wait for a switchover for twice loop_wait, or twice this if that is longer. */
export const SWITCHOVER_WAIT_MS = 10_000;
