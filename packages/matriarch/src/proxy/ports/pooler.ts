import type { Door } from '@matriarch/core';
import type { PortOutcome } from './outcome.ts';

/** The connection pool at run time. Every call ends within its time limit and none rejects. */
export interface Pooler {
  /** Replaces the pooled connections behind these doors, each as soon as no transaction uses it. */
  reconnect(doors: readonly Door[]): Promise<PortOutcome>;
  /** Repeats logins that have failed, now and not after the pool's usual pause. */
  retryLogins(): Promise<PortOutcome>;
}
