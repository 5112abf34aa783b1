import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { MemberName, RouteStep, Routes } from '@matriarch/core';
import type { BalancedServer, Balancer } from './ports/balancer.ts';
import type { Log } from './ports/log.ts';

const LOOK_INTERVAL_MS = 1_000;
/** Every so many looks host names are resolved again. */
const LOOKS_PER_RESOLUTION = 10;

export interface WatchedMember {
  readonly name: MemberName;
  readonly host: string;
}

export interface WatchParts {
  readonly balancer: Balancer;
  readonly members: () => readonly WatchedMember[];
  readonly routes: () => Routes | undefined;
  /** A member has been given another address: the routes must be told again. */
  readonly onMoved: () => void;
  readonly log: Log;
}

/**
 * What to do about two servers that take writes at once. It happens when the checks find a second
 * API that calls itself primary. The lease holder stays, the others go. While the lease holder is
 * not among them nothing is done: what we know of the store may be older than what the checks see.
 */
export const planSecondWriters = (
  servers: readonly BalancedServer[],
  routes: Routes | undefined,
): readonly RouteStep[] => {
  const writers = servers.filter(({ door, isUp }) => door === 'write' && isUp);
  const holder = routes?.write;
  if (writers.length < 2 || !writers.some(({ member }) => member === holder)) return [];
  return writers
    .filter(({ member }) => member !== holder)
    .flatMap(({ member }): readonly RouteStep[] => [
      { kind: 'lower', door: 'write', member },
      { kind: 'end-sessions', door: 'write', member },
    ]);
};

const resolve = async (host: string): Promise<readonly string[]> => {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    // Whoever cannot be resolved now keeps the address it had.
    return [];
  }
};

/** Looks at HAProxy's doors once a second: the net behind the events. */
export class DoorWatch {
  readonly #parts: WatchParts;
  #looks = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #disagreement: string | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  open(): void {
    this.#timer = setTimeout(() => {
      this.#look()
        .catch((error: unknown) => {
          this.#parts.log.warn({ cause: String(error) }, 'doors could not be looked at');
        })
        .finally(() => {
          if (!this.#isClosed) this.open();
        });
    }, LOOK_INTERVAL_MS);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const { balancer, routes, log } = this.#parts;
    const seen = await balancer.observe();
    // The supervisor starts it again, and says so.
    if (seen.kind === 'failed' || this.#isClosed) return;
    const steps = planSecondWriters(seen.servers, routes());
    if (steps.length > 0) {
      const outcome = await balancer.change(steps);
      log.error({ steps, outcome: outcome.kind }, 'second server took writes');
    }
    this.#compare(seen.servers, routes());
    this.#looks += 1;
    if (this.#looks % LOOKS_PER_RESOLUTION === 1) await this.#resolveAll(seen.servers);
  }

  /** The checks may close a route that the store holds open: worth a line, once. */
  #compare(servers: readonly BalancedServer[], routes: Routes | undefined): void {
    const holder = routes?.write;
    const isDown =
      holder !== undefined &&
      servers.some(({ door, member, isUp }) => door === 'write' && member === holder && !isUp);
    const disagreement = isDown ? holder : undefined;
    if (disagreement !== undefined && disagreement !== this.#disagreement) {
      this.#parts.log.warn(
        { member: disagreement },
        'checks keep writes from the primary, its api does not answer as one',
      );
    }
    this.#disagreement = disagreement;
  }

  /**
   * HAProxy resolves host names when it starts and never again (its own resolvers know DNS only,
   * and a name in /etc/hosts would be lost). A host that has moved gets its new address here.
   */
  async #resolveAll(servers: readonly BalancedServer[]): Promise<void> {
    const { balancer, members, onMoved, log } = this.#parts;
    for (const { name, host } of members().filter((member) => isIP(member.host) === 0)) {
      const [first, ...others] = await resolve(host);
      const known = servers.find(({ member }) => member === name)?.address;
      if (first === undefined || [first, ...others].some((address) => address === known)) continue;
      const outcome = await balancer.move(name, first);
      log.info({ member: name, host, from: known, to: first, ...outcome }, 'member has moved');
      onMoved();
    }
  }
}
