/** Every drill there is, in the order in which they are shown and played. */
import type { Scenario } from './scenario.ts';

/** Long enough for a lease to expire, and for somebody else to be elected. */
const BEYOND_THE_LEASE = { ttls: 2 };

export const scenarios: readonly Scenario[] = [
  {
    name: 'primary-crash',
    says: 'PostgreSQL of the primary is killed (SIGKILL of the postmaster)',
    steps: [{ harm: 'kill-postmaster', hits: 'primary' }],
    primary: 'either',
    mayLose: false,
  },
  {
    name: 'primary-crash-unreplicated',
    says: 'PostgreSQL of the primary is killed with WAL that no replica has received',
    steps: [
      { harm: 'stall-senders', hits: 'primary', lasts: 'until-written' },
      { after: { ms: 1_000 }, harm: 'kill-postmaster', hits: 'primary' },
    ],
    primary: 'either',
    mayLose: false,
  },
  {
    name: 'host-loss',
    says: 'the host of the primary is lost (SIGKILL of everything on it, its etcd too)',
    steps: [{ harm: 'kill-host', hits: 'primary', lasts: 'until-written' }],
    primary: 'moves',
    mayLose: true,
  },
  {
    name: 'primary-freeze',
    says: 'every process of the host of the primary is frozen, and thaws when another is primary',
    steps: [{ harm: 'freeze-host', hits: 'primary', lasts: 'until-written' }],
    primary: 'moves',
    mayLose: true,
  },
  {
    name: 'loop-kill',
    says: 'the loop of the primary is killed; its guard and PostgreSQL go on',
    steps: [{ harm: 'kill-loop', hits: 'primary' }],
    primary: 'stays',
    mayLose: false,
  },
  {
    name: 'loop-freeze',
    says: 'the loop of the primary is frozen for longer than its lease lives',
    steps: [{ harm: 'freeze-loop', hits: 'primary', lasts: BEYOND_THE_LEASE }],
    primary: 'moves',
    mayLose: true,
  },
  {
    name: 'guard-kill',
    says: 'the guard of the primary is killed, and with it its loop and PostgreSQL',
    steps: [{ harm: 'kill-guard', hits: 'primary' }],
    primary: 'either',
    mayLose: false,
  },
  {
    name: 'postmaster-hang',
    says: 'the postmaster of the primary is frozen, and does not come back by itself',
    steps: [{ harm: 'freeze-postmaster', hits: 'primary', lasts: { ttls: 3 } }],
    primary: 'either',
    mayLose: false,
  },
  {
    name: 'partition',
    says: 'the host of the primary is cut off from everybody',
    steps: [{ harm: 'cut-off', hits: 'primary', lasts: 'until-written' }],
    primary: 'moves',
    mayLose: true,
  },
  {
    name: 'partition-from-store',
    says: 'the primary is cut off from the store alone',
    steps: [{ harm: 'cut-off-from-store', hits: 'primary', lasts: 'until-written' }],
    primary: 'moves',
    mayLose: true,
  },
  {
    name: 'partition-from-members',
    says: 'the primary is cut off from the other members alone',
    steps: [{ harm: 'cut-off-from-members', hits: 'primary', lasts: BEYOND_THE_LEASE }],
    primary: 'stays',
    mayLose: false,
  },
  {
    name: 'partition-outgoing',
    says: 'nothing that the host of the primary sends arrives any more',
    steps: [{ harm: 'cut-off-outgoing', hits: 'primary', lasts: 'until-written' }],
    primary: 'moves',
    mayLose: true,
  },
  {
    name: 'partition-incoming',
    says: 'nothing arrives at the host of the primary any more',
    steps: [{ harm: 'cut-off-incoming', hits: 'primary', lasts: 'until-written' }],
    primary: 'moves',
    mayLose: true,
  },
  {
    name: 'replica-loss',
    says: 'the host of a replica is lost for a while',
    steps: [{ harm: 'kill-host', hits: 'replica', lasts: BEYOND_THE_LEASE }],
    primary: 'stays',
    mayLose: false,
  },
  {
    name: 'replica-lag',
    says: 'a replica receives nothing for a while',
    steps: [{ harm: 'stall-receiver', hits: 'replica', lasts: BEYOND_THE_LEASE }],
    primary: 'stays',
    mayLose: false,
  },
  {
    name: 'store-member-loss',
    says: 'etcd of one host is killed, and later that of another',
    steps: [
      { harm: 'kill-store-member', hits: 'primary' },
      { after: { ttls: 3 }, harm: 'kill-store-member', hits: 'replica' },
    ],
    primary: 'either',
    mayLose: true,
  },
  {
    name: 'store-loss',
    says: 'every etcd is gone for twenty seconds',
    steps: [{ harm: 'kill-store', hits: 'primary', lasts: { ms: 20_000 } }],
    primary: 'stays',
    mayLose: false,
  },
  {
    name: 'disk-full',
    says: 'the disk of the primary is full for a while',
    steps: [{ harm: 'fill-disk', hits: 'primary', lasts: BEYOND_THE_LEASE }],
    primary: 'either',
    mayLose: false,
  },
  {
    name: 'switchover',
    says: 'a switchover is asked for',
    steps: [{ harm: 'switchover', hits: 'primary' }],
    primary: 'moves',
    mayLose: false,
  },
  {
    name: 'cascade',
    says: 'the host of the primary is lost, and PostgreSQL of its heir crashes as it takes over',
    steps: [
      { harm: 'kill-host', hits: 'primary', lasts: 'until-written' },
      { after: 'next-holder', harm: 'kill-postmaster', hits: 'primary' },
    ],
    primary: 'moves',
    mayLose: true,
  },
  {
    name: 'rolling-restart',
    says: 'every member is restarted, one after the other, the primary last',
    steps: [
      { harm: 'restart', hits: 'replica' },
      { after: 'whole', harm: 'restart', hits: 'other-replica' },
      { after: 'whole', harm: 'restart', hits: 'primary' },
    ],
    primary: 'either',
    mayLose: false,
  },
];

/** Throws when there is none: for names that stand in the program. */
export const mustFindScenario = (name: string): Scenario => {
  const found = findScenario(name);
  if (found === undefined) throw new Error(`there is no scenario ${name}`);
  return found;
};

export const findScenario = (name: string): Scenario | undefined =>
  scenarios.find((scenario) => scenario.name === name);
