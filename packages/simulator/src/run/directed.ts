import type { ScriptedFault } from '../faults/fault-schedule.ts';
import type { ProfileName } from '../faults/profiles.ts';
import type { Plant } from '../plants/plant.ts';
import { fault } from '../plants/scene.ts';

/** A schedule that leads to a rule which chance rarely leads to. */
export interface Directed {
  readonly reaches: string;
  readonly seed: number;
  readonly profile: ProfileName;
  /** Chosen faults at chosen moments; undefined: those of the seed. */
  readonly script?: readonly ScriptedFault[];
  /** What somebody else does, whom no rule of ours binds: no checker is asked. */
  readonly circumstance?: Plant;
}

const circumstance = (says: string, alter: Partial<Plant>): Plant => ({
  name: 'circumstance',
  says,
  caughtBy: [],
  profile: 'quiet',
  ...alter,
});

const promotedByHand = circumstance('an operator promotes a standby by hand', {
  alterResult: (kind, result, host) => {
    const { running } = host.postgres;
    const isTime = host.world.kernel.now > 40_000 && host.world.kernel.now < 41_500;
    if (kind === 'probe-server' && isTime && running?.inRecovery === true)
      host.postgres.promote(running.pid);
    return result;
  },
});

const emptyDisk = circumstance('the data directory of a crashed primary is gone', {
  alterResult: (kind, result, { world, name, postgres }) => {
    if (kind !== 'inspect-disk' || result.kind !== 'done' || !('disk' in result)) return result;
    if (world.kernel.now < 40_000 || world.store.documents.get('leader')?.value !== name)
      return result;
    postgres.disk.occupant = { kind: 'empty' };
    return { ...result, disk: { ...result.disk, content: { kind: 'empty' } } };
  },
});

/** Found by search: `npm run sim` tells at its end what it has not reached. */
export const directed: readonly Directed[] = [
  { reaches: 'abandon-bootstrap', seed: 8, profile: 'bootstrap' },
  { reaches: 'take-lease-again', seed: 41, profile: 'operators' },
  {
    reaches: 'fence-stray-private-server',
    seed: 4,
    profile: 'quiet',
    script: [fault(2_400, 'loop-killed', { host: 'bert' })],
  },
  {
    reaches: 'hand-over-stopped-primary-when-asked',
    seed: 1,
    profile: 'quiet',
    script: [
      fault(30_000, 'cluster-paused', { lastsMs: 60_000 }),
      fault(36_000, 'postmaster-killed'),
      fault(45_000, 'switchover', { draws: [0] }),
    ],
  },
  {
    reaches: 'drop-scheduled-switchover',
    seed: 1,
    profile: 'quiet',
    script: [
      fault(30_000, 'switchover-scheduled', { lastsMs: 10_000, draws: [0.5, 0.9, 0.9] }),
      fault(31_000, 'cluster-paused', { lastsMs: 60_000 }),
    ],
  },
  {
    reaches: 'fence-when-promoted-by-hand',
    seed: 1,
    profile: 'quiet',
    circumstance: promotedByHand,
  },
  {
    reaches: 'release-when-data-is-gone',
    seed: 1,
    profile: 'quiet',
    script: [fault(40_500, 'postmaster-killed')],
    circumstance: emptyDisk,
  },
];
