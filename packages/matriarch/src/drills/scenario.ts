/**
 * The language drills are written in. A scenario says what is done to whom and when, in words that
 * mean the same for a real cluster and for the simulator; nothing in it knows how that is done.
 */

/** A length of time. What has to do with leases goes with the ttl of the cluster. */
export interface Span {
  readonly ttls?: number;
  readonly ms?: number;
}

export const spanMs = ({ ttls = 0, ms = 0 }: Span, ttlMs: number): number => ttls * ttlMs + ms;

/**
 * Whom a harm hits. Found when the harm begins, and the same one until it ends. `replica` is the
 * first member by name that does not hold the lease, `other-replica` the second one.
 */
export type Target = 'primary' | 'replica' | 'other-replica';

/**
 * What is done. A "host" is a member with its agent, its PostgreSQL and its etcd.
 *
 * kill-…               SIGKILL; a host is held down, everything else may come back at once
 * freeze-…             SIGSTOP, and SIGCONT at the end
 * stall-receiver       a replica's walreceiver is stopped: it receives nothing
 * stall-senders        the walsenders of a primary are stopped: no replica receives anything
 * kill-store-member    etcd of the host alone
 * kill-store           every etcd there is
 * cut-off              nothing passes between the host and anybody, in both directions
 * cut-off-from-store   the member and every etcd; the members reach each other
 * cut-off-from-members the member and the other members; all reach the store
 * cut-off-outgoing     nothing that the member sends arrives anywhere
 * cut-off-incoming     nothing arrives at the member
 * fill-disk            the file system with the data directory has no room left
 * switchover, restart  what an operator may ask for at any time
 */
export const HARMS = [
  'kill-postmaster',
  'kill-host',
  'kill-loop',
  'kill-guard',
  'kill-store-member',
  'kill-store',
  'freeze-postmaster',
  'freeze-host',
  'freeze-loop',
  'stall-receiver',
  'stall-senders',
  'cut-off',
  'cut-off-from-store',
  'cut-off-from-members',
  'cut-off-outgoing',
  'cut-off-incoming',
  'fill-disk',
  'switchover',
  'restart',
] as const;
export type HarmName = (typeof HARMS)[number];

export interface ScenarioStep {
  /**
   * When it begins. A span counts from the beginning of the step before; `whole`: when every member
   * streams again; `next-holder`: as soon as somebody else holds the lease. Absent: at once.
   */
  readonly after?: Span | 'whole' | 'next-holder';
  readonly harm: HarmName;
  readonly hits: Target;
  /** Absent: it is over at once. `until-written`: until applications can write again. */
  readonly lasts?: Span | 'until-written';
}

export interface Scenario {
  readonly name: string;
  /** What is done, in a sentence for people. */
  readonly says: string;
  readonly steps: readonly ScenarioStep[];
  /** Who is to be primary in the end: another one, the same one, or whoever is fit. */
  readonly primary: 'moves' | 'stays' | 'either';
  /** Asynchronous replication may lose writes here. Nothing that has waited is ever lost. */
  readonly mayLose: boolean;
}

const CRASHES: readonly HarmName[] = [
  'kill-postmaster',
  'kill-guard',
  'freeze-postmaster',
  'fill-disk',
];

/** A server ends here that was not asked to. Soon after another one it is treated differently. */
export const isCrash = ({ steps }: Scenario): boolean =>
  steps.some(({ harm }) => CRASHES.includes(harm));

const NETWORK: readonly HarmName[] = [
  'cut-off',
  'cut-off-from-store',
  'cut-off-from-members',
  'cut-off-outgoing',
  'cut-off-incoming',
];

/** What a cluster must have so that a scenario can be played on it. */
export type Need = 'hosts with addresses of their own' | 'a small file system for each host';

export const needsOf = ({ steps }: Scenario): readonly Need[] => {
  const harms = steps.map(({ harm }) => harm);
  return [
    ...(harms.some((harm) => NETWORK.includes(harm))
      ? (['hosts with addresses of their own'] as const)
      : []),
    ...(harms.includes('fill-disk') ? (['a small file system for each host'] as const) : []),
  ];
};
