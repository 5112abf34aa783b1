import type { ServerProbe, StoreSnapshot, SyncDocument } from '@matriarch/core';
import type { SimHost } from '../host/sim-host.ts';
import type { ActionResult, Plant } from './plant.ts';

const S6 = 's6-acknowledged-commits-survive';

const isVacant = (host: SimHost): boolean => host.guard?.loop?.state.vacantSince !== undefined;

const alterProbe = (
  result: ActionResult,
  alter: (probe: Extract<ServerProbe, { kind: 'answers' }>) => ServerProbe,
): ActionResult =>
  result.kind === 'done' && 'probe' in result && result.probe.kind === 'answers'
    ? { ...result, probe: alter(result.probe) }
    : result;

/** Any single vote is enough, whoever gives it. */
const withOneVote = (snapshot: StoreSnapshot): StoreSnapshot => {
  const { sync, leader, members } = snapshot;
  if (sync === undefined || leader !== undefined) return snapshot;
  const voters = Object.keys(members) as unknown as SyncDocument['voters'];
  return { ...snapshot, sync: { ...sync, value: { ...sync.value, voters, quorum: 0 } } };
};

/** Mistakes with whom commits wait for and who may be elected. */
export const syncPlants: readonly Plant[] = [
  {
    name: 'votes-are-no-promises',
    says: 'a standby votes, and goes on receiving from the old primary',
    caughtBy: [S6],
    profile: 'synchronous',
    alterAction: (action, _host, rule) =>
      rule === 'stop-receiving-before-voting' ? { pretend: { kind: 'done' } } : action,
    alterResult: (_kind, result, host) =>
      isVacant(host)
        ? alterProbe(result, (probe) => ({ ...probe, upstream: undefined, receiving: false }))
        : result,
  },
  {
    name: 'one-vote-is-enough',
    says: 'whoever votes for itself is elected',
    caughtBy: [S6],
    profile: 'synchronous',
    alterResult: (_kind, result) =>
      result.kind === 'done' && 'snapshot' in result
        ? { ...result, snapshot: withOneVote(result.snapshot) }
        : result,
  },
  {
    name: 'names-hold-at-once',
    says: 'names count as soon as PostgreSQL was told, whatever its processes go by',
    caughtBy: [S6],
    profile: 'synchronous',
    alterAction: (action, host) =>
      action.kind === 'checkpoint' && host.guard?.loop?.state.sync.armed === false
        ? { pretend: { kind: 'done' } }
        : action,
    alterResult: (_kind, result) =>
      result.kind === 'done' && 'shown' in result
        ? { ...result, shown: { ...result.shown, senders: {} } }
        : result,
  },
  {
    name: 'standbys-have-caught-up',
    says: 'a standby that has joined a moment ago is believed to have everything',
    caughtBy: [S6],
    profile: 'synchronous',
    alterResult: (_kind, result) =>
      alterProbe(result, (probe) => {
        const { position } = probe;
        if (!position.known || probe.inRecovery) return probe;
        const { lsn: flushLsn } = position.position;
        return { ...probe, standbys: probe.standbys.map((one) => ({ ...one, flushLsn })) };
      }),
  },
];
