import type { MemberDocument, ServerProbe, StoreTransaction, WallTime } from '@matriarch/core';
import type { SimHost } from '../host/sim-host.ts';
import type { ActionResult, Plant } from './plant.ts';
import { fault } from './scene.ts';

/** What a member has said once of a restart at a time, its key says for ever. */
const keepScheduled = (
  transaction: StoreTransaction,
  { name, world }: SimHost,
): StoreTransaction => {
  const known = world.store.snapshot().members[name]?.value.scheduledRestart;
  const keep = (put: MemberDocument): MemberDocument => ({
    ...put,
    scheduledRestart: put.scheduledRestart ?? known,
  });
  return {
    ...transaction,
    writes: transaction.writes.map((write) =>
      'member' in write ? { ...write, put: keep(write.put) } : write,
    ),
  };
};

/** Every server says that it was started when all others were. */
const withoutStart = (result: ActionResult): ActionResult => {
  if (result.kind !== 'done' || !('probe' in result)) return result;
  const { probe } = result as { readonly probe: ServerProbe };
  return probe.kind === 'answers' ? { ...result, probe: { ...probe, startedAt: '' } } : result;
};

/** Mistakes with what was asked for at a time. */
export const schedulePlants: readonly Plant[] = [
  {
    name: 'wall-clock-is-taken-for-later',
    says: 'members take the time for twenty seconds later than it is',
    caughtBy: ['s14-a-time-is-kept-once'],
    profile: 'operators',
    from: 11,
    alterWallClock: (time) => (time + 20_000) as WallTime,
  },
  {
    name: 'restart-is-not-crossed-out',
    says: 'a restart that has happened stays in the key, and no start is told from another',
    caughtBy: ['s14-a-time-is-kept-once'],
    profile: 'quiet',
    scene: [
      fault(30_000, 'restart-scheduled', { lastsMs: 8_000, draws: [0.2, 0, 0.9, 0.9] }),
      fault(35_500, 'loop-killed'),
    ],
    alterAction: (action, host) =>
      action.kind === 'transact' && action.purpose === 'publish-member'
        ? { ...action, transaction: keepScheduled(action.transaction, host) }
        : action,
    alterResult: (kind, result) => (kind === 'probe-server' ? withoutStart(result) : result),
  },
];
