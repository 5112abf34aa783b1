import type {
  LeaseTerm,
  PeerAnswer,
  ServerAnswer,
  ServerProbe,
  StoreSnapshot,
  SyncDocument,
} from '@matriarch/core';
import type { SimHost } from '../host/sim-host.ts';
import type { ActionResult, Plant } from './plant.ts';
import { fault } from './scene.ts';

const S6 = 's6-acknowledged-commits-survive';

/** Any single vote is enough, whoever gives it. */
const withOneVote = (snapshot: StoreSnapshot): StoreSnapshot => {
  const { sync, leader, members } = snapshot;
  if (sync === undefined || leader !== undefined) return snapshot;
  const voters = Object.keys(members) as unknown as SyncDocument['voters'];
  return { ...snapshot, sync: { ...sync, value: { ...sync.value, voters, quorum: 0 } } };
};

const alterAnswer = (
  result: ActionResult,
  alter: (answer: ServerAnswer) => ServerAnswer,
): ActionResult => {
  if (result.kind !== 'done' || !('probe' in result)) return result;
  const probe: ServerProbe = result.probe;
  return probe.kind === 'answers' ? { ...result, probe: alter(probe) } : result;
};

/** What a standby is that has stopped receiving. */
const asIfStopped = (answer: ServerAnswer): ServerAnswer =>
  answer.inRecovery
    ? { ...answer, upstream: undefined, streaming: false, receiving: false }
    : answer;

/** Whoever answers has voted for the term that ended. */
const withVotes = (
  result: Extract<ActionResult, { readonly answers: unknown }>,
  { world }: SimHost,
): ActionResult => {
  const vote = world.store.documents.get('holder')?.modRevision as LeaseTerm | undefined;
  const voted = Object.entries(result.answers).map(([name, answer]): [string, PeerAnswer] => [
    name,
    answer.kind === 'answers' ? { ...answer, vote } : answer,
  ]);
  return { ...result, answers: Object.fromEntries(voted) };
};

/** Every standby has everything. */
const asIfCaughtUp = (answer: ServerAnswer): ServerAnswer => {
  const { position } = answer;
  if (!position.known) return answer;
  const { lsn } = position.position;
  return { ...answer, standbys: answer.standbys.map((one) => ({ ...one, flushLsn: lsn })) };
};

const isElection = ({ world }: SimHost): boolean =>
  world.store.documents.get('leader') === undefined;

/** Mistakes with whom commits wait for and who may be elected. */
export const syncPlants: readonly Plant[] = [
  {
    name: 'one-vote-is-enough',
    says: 'whoever votes for itself is elected',
    caughtBy: [S6, 's6-reads-see-what-was-acknowledged'],
    profile: 'synchronous',
    from: 57,
    alterResult: (_kind, result) =>
      result.kind === 'done' && 'snapshot' in result
        ? { ...result, snapshot: withOneVote(result.snapshot) }
        : result,
  },
  {
    name: 'votes-are-no-promises',
    says: 'a standby votes and goes on receiving from the old primary',
    caughtBy: [S6],
    profile: 'synchronous',
    from: 227,
    // Neither guard nor loop of the primary runs, and its server does: it is not fenced. What it
    // writes when the lease changes hands reaches the elected one too late, and the other in time.
    scene: [
      fault(30_000, 'link-slow', { other: 'bert', draws: [0.9, 0.1], lastsMs: 100_000 }),
      fault(40_000, 'guard-stopped', { lastsMs: 60_000 }),
      fault(40_000, 'loop-stopped', { lastsMs: 60_000 }),
    ],
    alterAction: (action, _host, rule) =>
      rule === 'stop-receiving-before-voting' && action.kind !== 'transact'
        ? { pretend: { kind: 'done' } }
        : action,
    alterResult: (kind, result, host) => {
      if (!isElection(host)) return result;
      if (result.kind === 'done' && 'answers' in result) return withVotes(result, host);
      return kind === 'probe-server' ? alterAnswer(result, asIfStopped) : result;
    },
  },
  {
    name: 'standbys-have-caught-up',
    says: 'whoever is to be waited for counts at once as having everything',
    caughtBy: [S6],
    profile: 'synchronous',
    from: 12,
    // One standby lags when commits begin to wait for two; then it is the only one there.
    scene: [
      fault(38_000, 'standby-stalls', { host: 'bert', lastsMs: 60_000 }),
      fault(40_000, 'mode-changes', { draws: [0.9, 0.9, 0.9] }),
      fault(50_000, 'host-isolated', { host: 'cora', lastsMs: 60_000 }),
      fault(50_000, 'host-crashes', { lastsMs: 60_000 }),
    ],
    alterResult: (kind, result) =>
      kind === 'probe-server' ? alterAnswer(result, asIfCaughtUp) : result,
  },
];
