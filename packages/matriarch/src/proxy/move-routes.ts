import {
  type MemberName,
  type RouteChange,
  type Routes,
  decideRoutes,
  planRouteChange,
} from '@matriarch/core';
import type { Balancer } from './ports/balancer.ts';
import type { Log } from './ports/log.ts';
import type { PortOutcome } from './ports/outcome.ts';
import type { Pooler } from './ports/pooler.ts';
import type { RouteSource } from './ports/route-source.ts';

/** What the log says of a change, and of one that HAProxy did not take: the journal goes by it. */
export const ROUTES_MOVED = 'routes moved';
export const ROUTES_NOT_MOVED = 'routes not moved, trying again';

/** A change that HAProxy did not take is tried again, soon and then later. */
const FIRST_RETRY_MS = 50;
const RETRY_MAX_MS = 1_000;

export interface MoverParts {
  readonly source: RouteSource;
  readonly balancer: Balancer;
  /** Undefined when there is no PgBouncer. */
  readonly pooler: Pooler | undefined;
  readonly members: readonly MemberName[];
  readonly log: Log;
}

/**
 * Moves traffic by event: what the store says is decided on at once and told to HAProxy, then to
 * PgBouncer. One change at a time; events that come meanwhile are answered by one more round, which
 * reads the store as it then is.
 */
export class RouteMover {
  readonly #parts: MoverParts;
  #members: readonly MemberName[];
  /** What was decided last. */
  #decided: Routes | undefined;
  /** What HAProxy was last told in full; undefined when it may have forgotten. */
  #told: Routes | undefined;
  #wokenAt: number | undefined;
  #isBusy = false;
  #isClosed = false;
  #retryMs = FIRST_RETRY_MS;
  #timer: NodeJS.Timeout | undefined;
  #watch: { close(): void } | undefined;

  constructor(parts: MoverParts) {
    this.#parts = parts;
    this.#members = parts.members;
  }

  /** What clients are sent to; undefined while the store has not been read. */
  get routes(): Routes | undefined {
    return this.#decided;
  }

  /** Begins to watch, and puts every route in its place. */
  open(): void {
    this.#watch = this.#parts.source.onChange(() => this.#wake());
    this.#wake();
  }

  /** HAProxy has been started or reloaded, a member has moved: nothing is taken for granted. */
  startOver(members: readonly MemberName[] = this.#members): void {
    this.#members = members;
    this.#told = undefined;
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#watch?.close();
  }

  #wake(): void {
    this.#wokenAt ??= performance.now();
    if (this.#isBusy || this.#isClosed) return;
    this.#isBusy = true;
    this.#rounds().catch((error: unknown) => this.#retry(String(error)));
  }

  async #rounds(): Promise<void> {
    try {
      while (this.#wokenAt !== undefined && !this.#isClosed) {
        const wokenAt = this.#wokenAt;
        this.#wokenAt = undefined;
        const cause = await this.#round(wokenAt);
        if (cause === undefined) this.#retryMs = FIRST_RETRY_MS;
        else this.#retry(cause);
      }
    } finally {
      // In the same breath as the last look at `wokenAt`: a wake in between would be lost.
      this.#isBusy = false;
    }
  }

  /** Answers why it failed; undefined when all is as decided. */
  async #round(wokenAt: number): Promise<string | undefined> {
    const { source, balancer, log } = this.#parts;
    const snapshot = source.current();
    if (snapshot === undefined) return undefined;
    const members = this.#members;
    const told = this.#told;
    const routes = decideRoutes({ snapshot, members, previous: this.#decided });
    const change = planRouteChange(members, told, routes);
    if (change.steps.length > 0) {
      const outcome = await balancer.change(change.steps);
      if (outcome.kind === 'failed') {
        // Half of it may have been done.
        this.#told = undefined;
        return outcome.cause;
      }
      const elapsedMs = Math.round((performance.now() - wokenAt) * 10) / 10;
      const { write, reads, because } = routes;
      const { revision } = snapshot;
      const steps = describe(change);
      log.info({ write, reads, because, steps, revision, elapsedMs }, ROUTES_MOVED);
    }
    this.#decided = routes;
    // A start over that was asked for meanwhile must not be forgotten.
    if (this.#told === told) this.#told = routes;
    this.#refreshPools(change);
    return undefined;
  }

  /** Not waited for: a pool that does not answer must not hold up the next change. */
  #refreshPools({ steps, reconnect }: RouteChange): void {
    const { pooler } = this.#parts;
    if (pooler === undefined) return;
    if (reconnect.length > 0) this.#note('reconnect', pooler.reconnect(reconnect));
    // Whose login failed while nobody answered need not wait now that somebody does.
    if (steps.some(({ kind }) => kind === 'raise')) this.#note('retry', pooler.retryLogins());
  }

  #note(what: string, call: Promise<PortOutcome>): void {
    const { log } = this.#parts;
    call.then(
      (outcome) => {
        if (outcome.kind === 'failed') log.warn({ what, ...outcome }, 'pools not refreshed');
      },
      (error: unknown) => log.warn({ what, cause: String(error) }, 'pools not refreshed'),
    );
  }

  #retry(cause: string): void {
    if (this.#isClosed) return;
    const afterMs = this.#retryMs;
    this.#parts.log.warn({ cause, afterMs }, ROUTES_NOT_MOVED);
    this.#retryMs = Math.min(afterMs * 2, RETRY_MAX_MS);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), afterMs);
  }
}

const describe = ({ steps }: RouteChange): readonly string[] =>
  steps.map(({ kind, door, member }) => `${kind} ${door} ${member}`);
