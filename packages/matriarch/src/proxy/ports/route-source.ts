import type { StoreSnapshot } from '@matriarch/core';

/** Where the proxy learns what the store holds. */
export interface RouteSource {
  /**
   * Everything the store held at its last reading. Undefined while it is not known: before the
   * first reading, and when the last one is too old to act on. Then nothing is moved, and HAProxy's
   * own checks go on deciding.
   */
  current(): StoreSnapshot | undefined;
  /** Calls `changed` after each change. Calls may come together; what has changed is not told. */
  onChange(changed: () => void): { close(): void };
}
