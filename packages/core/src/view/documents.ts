/** What a member says of itself: its key in the store and its answer to other members. */
import { mayFailOver } from '../model/member.ts';
import type { PeerAnswer } from '../model/peer.ts';
import type { ScheduledRestart } from '../model/schedule.ts';
import type { LeaseTerm, MemberDocument, WalOffer } from '../model/store.ts';
import type { MemberState } from '../state.ts';
import { goesOnByPromises, isLeftOut, promiseInForce } from './failsafe.ts';
import { isPaused, isRestarting, isSuspended } from './pause.ts';
import { type View, assembleView } from './view.ts';
import { ownWaiting } from './waiting.ts';

/** Patroni's words for the state of a member. */
const stateWord = (view: View): string => {
  const { state, server, silent } = view;
  const { process, leaving, job, bootstrap, lanes } = state;
  if (leaving !== undefined) return silent ? 'stopped' : 'stopping';
  if (bootstrap !== undefined || job?.kind === 'initialise') return 'initializing new cluster';
  if (lanes.server?.action.kind === 'clone') return 'creating replica';
  if (isRestarting(state)) return 'restarting';
  if (process.kind === 'running')
    return server === undefined && state.probe?.value.kind !== 'refuses' ? 'starting' : 'running';
  if (state.vacating?.cause === 'crash') return 'crashed';
  return state.rejoin.failedStarts > 0 ? 'start failed' : 'stopped';
};

const roleWord = (view: View): string => {
  const { state, server } = view;
  if (server !== undefined && !server.inRecovery)
    return view.holding || isSuspended(state) || goesOnByPromises(state) ? 'primary' : 'demoted';
  if (state.disk?.value.content.kind === 'empty' && server === undefined) return 'uninitialized';
  if (server === undefined && view.writable) return 'primary';
  if (server === undefined && state.vacating !== undefined) return 'demoted';
  return 'replica';
};

export const assembleMemberDocument = (view: View): MemberDocument => {
  const { state, server } = view;
  const { self } = state;
  const position = server?.position.known === true ? server.position.position : undefined;
  const standby = server?.inRecovery === true;
  return {
    connUrl: self.connUrl,
    apiUrl: self.apiUrl,
    state: stateWord(view),
    role: roleWord(view),
    tags: self.tags,
    timeline: server?.lineage.timeline,
    xlogLocation: position?.lsn ?? server?.replayedLsn,
    receiveLsn: standby ? server.receivedLsn : undefined,
    replayLsn: standby ? server.replayedLsn : undefined,
    replicationState: standby && server.streaming ? 'streaming' : undefined,
    pendingRestart: server?.pendingRestart === true ? true : undefined,
    scheduledRestart: state.schedules.restart,
    pause: isPaused(view) ? true : undefined,
    checkpointAfterPromote: state.checkpointDue ? false : undefined,
    ours: true,
    vote: state.vote,
    offer: assembleOffer(view),
    job: state.job,
    waiting: ownWaiting(view),
  };
};

/** Only a silent server's WAL is offered, and as long as it is not to start again (rule S11). */
export const assembleOffer = ({ state, silent }: View): WalOffer | undefined => {
  const { rescue, end, givenUp } = state.vacating ?? {};
  if (rescue === undefined || end === undefined || givenUp === true || !silent) return undefined;
  return { to: rescue.to, end };
};

/** Whether two documents differ in more than how far the WAL has come. */
export const differsBeyondWal = (a: MemberDocument, b: MemberDocument): boolean =>
  a.state !== b.state ||
  a.role !== b.role ||
  a.timeline !== b.timeline ||
  a.replicationState !== b.replicationState ||
  a.connUrl !== b.connUrl ||
  a.apiUrl !== b.apiUrl ||
  a.pendingRestart !== b.pendingRestart ||
  a.pause !== b.pause ||
  a.checkpointAfterPromote !== b.checkpointAfterPromote ||
  a.ours !== b.ours ||
  a.vote !== b.vote ||
  a.offer?.to !== b.offer?.to ||
  a.offer?.end.lsn !== b.offer?.end.lsn ||
  restartKey(a.scheduledRestart) !== restartKey(b.scheduledRestart) ||
  differsIn(a.waiting, b.waiting) ||
  differsIn(a.tags, b.tags);

const differsIn = (one: object | undefined, other: object | undefined): boolean =>
  one !== other && JSON.stringify(one) !== JSON.stringify(other);

/** Equal where the same is scheduled, in whatever order its fields stand. */
const restartKey = (restart: ScheduledRestart | undefined): string => {
  if (restart === undefined) return '';
  const { schedule, conditions, limitMs, postmasterStartedAt } = restart;
  const { role, postgresVersion, pendingOnly } = conditions;
  const parts = [schedule.text, role, postgresVersion, pendingOnly, limitMs, postmasterStartedAt];
  return parts.map(String).join('\n');
};

export const differsInWal = (a: MemberDocument, b: MemberDocument): boolean =>
  a.xlogLocation !== b.xlogLocation ||
  a.receiveLsn !== b.receiveLsn ||
  a.replayLsn !== b.replayLsn ||
  a.job?.doneBytes !== b.job?.doneBytes ||
  a.job?.totalBytes !== b.job?.totalBytes;

/** Our vote, once the store has it and while it is kept: it is no promise before (rule S6). */
export const publishedVote = ({ state, store, server }: View): LeaseTerm | undefined => {
  const { vote, self } = state;
  const isKept = server?.inRecovery === true && server.upstream === undefined && !server.receiving;
  return isKept && store?.members[self.name]?.value.vote === vote ? vote : undefined;
};

/** The answer to another member that asks; `state` should have a fresh look at the server. */
export const assemblePeerAnswer = (state: MemberState): PeerAnswer => {
  const view = assembleView(state);
  const { server } = view;
  const acting = state.lanes.server?.action.kind;
  const busy = acting === 'stop-server' || acting === 'fence';
  return {
    kind: 'answers',
    running: state.process.kind === 'running',
    primary: state.process.kind === 'running' && (server ? !server.inRecovery : view.writable),
    position: server?.inRecovery === true ? server.position : { known: false },
    lineage: server?.lineage,
    streaming: server?.streaming,
    tags: state.self.tags,
    vote: publishedVote(view),
    promisedTo: promiseInForce(state)?.to,
    electable:
      server?.inRecovery === true &&
      !isLeftOut(state.self.name, view.store) &&
      mayFailOver(state.self.tags) &&
      state.leaving === undefined &&
      !view.storeIsOut &&
      !busy,
  };
};
