import {
  type HandoverDocument,
  type Lsn,
  type PeerAnswer,
  type StoreSnapshot,
  knownPosition,
  lsn,
} from '@matriarch/core';
import type { SimHost } from '../host/sim-host.ts';
import type { ActionResult, Plant } from './plant.ts';

/** What the longest WAL in the world ends with: what a liar would claim to hold. */
const farthestEnd = (host: SimHost): Lsn => {
  let end = 0;
  for (const { postgres } of host.world.hosts.values())
    end = Math.max(end, postgres.disk.data?.wal.end ?? 0);
  return lsn(end);
};

const claimAll = (answer: PeerAnswer, end: Lsn): PeerAnswer => {
  if (answer.kind !== 'answers' || answer.lineage === undefined) return answer;
  const { timeline } = answer.lineage;
  return { ...answer, position: knownPosition({ timeline, lsn: end }) };
};

/** A standby that has not read its WAL says that it holds everything there is. */
const lieOfPositions = (result: ActionResult, host: SimHost): ActionResult => {
  if (result.kind !== 'done') return result;
  const end = farthestEnd(host);
  if ('answers' in result) {
    const entries = Object.entries(result.answers);
    const answers = Object.fromEntries(entries.map(([name, one]) => [name, claimAll(one, end)]));
    return { ...result, answers };
  }
  if (!('probe' in result) || result.probe.kind !== 'answers' || !result.probe.inRecovery)
    return result;
  const { timeline } = result.probe.lineage;
  return { ...result, probe: { ...result.probe, position: knownPosition({ timeline, lsn: end }) } };
};

/** What a crash hand-over leaves behind for the next one is gone (rule S13). */
const forgetQuietTime = (snapshot: StoreSnapshot): StoreSnapshot => {
  const { handover } = snapshot;
  if (handover === undefined) return snapshot;
  const value: HandoverDocument = { ...handover.value, cause: 'switchover', quietMs: 0 };
  return { ...snapshot, handover: { ...handover, value } };
};

/** Mistakes with data, positions, timelines and slots. */
export const dataPlants: readonly Plant[] = [
  {
    name: 'end-of-wal-is-guessed',
    says: 'the measured end of WAL lies a little before the true one',
    caughtBy: ['s4-old-one-silent-first'],
    profile: 'crashes',
    alterResult: (kind, result) =>
      kind === 'measure-wal-end' && result.kind === 'done' && 'end' in result
        ? { ...result, end: lsn(result.end - 120n) }
        : result,
  },
  {
    name: 'history-files-are-not-placed',
    says: 'a promotion takes whatever timeline number PostgreSQL comes to',
    caughtBy: ['s5-a-timeline-number-once'],
    profile: 'network',
    from: 7,
    alterAction: (action) =>
      action.kind === 'place-history' ? { pretend: { kind: 'done' } } : action,
  },
  {
    name: 'forks-are-not-kept',
    says: 'WAL beyond a fork is not copied before it is overwritten',
    caughtBy: ['s7-never-delete-the-last-copy'],
    profile: 'network',
    from: 5,
    alterAction: (action) =>
      action.kind === 'keep-fork' ? { pretend: { kind: 'done', keptAt: '/nowhere' } } : action,
  },
  {
    name: 'positions-are-made-up',
    says: 'every standby says that it holds all WAL there is, known or not',
    caughtBy: ['s10-nothing-lost-without-need'],
    profile: 'wal',
    from: 41,
    alterResult: (kind, result, host) =>
      kind === 'ask-peers' || kind === 'probe-server' ? lieOfPositions(result, host) : result,
  },
  {
    name: 'quiet-time-is-forgotten',
    says: 'after a hand-over for a crash nobody remembers that there was one',
    caughtBy: ['s13-no-ping-pong'],
    profile: 'crashes',
    from: 2,
    alterResult: (_kind, result) =>
      result.kind === 'done' && 'snapshot' in result
        ? { ...result, snapshot: forgetQuietTime(result.snapshot) }
        : result,
  },
  {
    name: 'foreign-files-look-empty',
    says: 'a directory with files of somebody else is taken for an empty one',
    caughtBy: ['foreign-data-untouched'],
    profile: 'foreign',
    from: 3,
    alterResult: (kind, result) =>
      kind === 'inspect-disk' &&
      result.kind === 'done' &&
      'disk' in result &&
      result.disk.content.kind === 'not-ours'
        ? { ...result, disk: { ...result.disk, content: { kind: 'empty' } } }
        : result,
  },
  {
    name: 'slots-are-not-made',
    says: 'no slot is ever created',
    caughtBy: ['liveness-after-healing'],
    profile: 'quiet',
    alterAction: (action) =>
      action.kind === 'change-slots' ? { pretend: { kind: 'done' } } : action,
  },
  {
    name: 'upstream-is-not-reloaded',
    says: 'a standby is not told that the primary is another one now',
    caughtBy: ['liveness-after-healing'],
    profile: 'crashes',
    alterAction: (action) =>
      action.kind === 'reload-server' ? { pretend: { kind: 'done' } } : action,
  },
];
