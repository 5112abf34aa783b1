/** What a server's log says of commits whose wait for standbys ended before its time. */
export interface CancelledWaits {
  /** By the client, or by a limit on its statements. */
  readonly cancelled: number;
  /** With their sessions, but not because the server was stopped. */
  readonly terminated: number;
  /** Why the log may not tell of such waits; undefined: it does. */
  readonly blind?: string | undefined;
  /** There is more to be looked at. */
  readonly isBehind: boolean;
}
