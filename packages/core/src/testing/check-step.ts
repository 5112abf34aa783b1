/** What must hold of every single step, whatever the state and the input were. */
import { mayAcceptWrites } from '../guard/guard-state.ts';
import { isPauseOn } from '../model/operating.ts';
import { laneOf } from '../lanes.ts';
import type {
  Action,
  ActionKind,
  ActionOf,
  Dispatch,
  TransactionPurpose,
} from '../model/action.ts';
import { deadlineOf } from '../model/policy.ts';
import type { DocumentKey, StoreCompare, StoreTransaction } from '../model/store.ts';
import { rules } from '../rules/table.ts';
import type { MemberState } from '../state.ts';
import type { StepResult } from '../step.ts';
import {
  goesOnByPromises,
  isLeftOut,
  membersToAsk,
  promiseInForce,
  restsOnLease,
  writeDeadline,
} from '../view/failsafe.ts';
import { isSuspended } from '../view/pause.ts';
import { requestNow } from '../view/schedules.ts';

type Tell = (what: string) => void;

/** The rules of one step that do not hold, in words; empty: all is well. */
export const findBreaches = (result: StepResult): readonly string[] => {
  const breaches: string[] = [];
  const tell: Tell = (what) => breaches.push(what);
  checkLanes(result, tell);
  checkFence(result.state, tell);
  checkVote(result, tell);
  const { state, wakeAt } = result;
  if (wakeAt !== undefined && wakeAt <= state.now) tell(`to be woken ${state.now - wakeAt} ms ago`);
  for (const dispatch of result.dispatches) {
    checkPrimary(result.state, dispatch, tell);
    checkSilence(result.state, dispatch, tell);
    checkTransaction(result.state, dispatch, tell);
    checkExtension(result.state, dispatch, tell);
  }
  return breaches;
};

const isUrgent = ({ kind }: Action): boolean => kind === 'fence' || kind === 'exit';

const checkLanes = ({ state, dispatches, decisions }: StepResult, tell: Tell): void => {
  const lanes = dispatches.map(({ lane }) => lane);
  if (new Set(lanes).size !== lanes.length) tell(`two actions in one lane: ${lanes.join(', ')}`);
  for (const { id, lane, action } of dispatches) {
    if (laneOf(action) !== lane) tell(`${action.kind} in the lane ${lane}`);
    if (state.lanes[lane]?.id !== id) tell(`${action.kind} was sent and is not under way`);
  }
  const ofRules = dispatches.filter(({ rule, action }) => rule !== undefined && !isUrgent(action));
  if (ofRules.length > 1) tell('two actions of rules in one step');
  const last = decisions.at(-1);
  if (state.startedAt !== undefined && last === undefined) tell('no rule answered');
  if (decisions.some(({ rule }) => !rules.some(({ id }) => id === rule))) tell('an unknown rule');
};

/** S1, S2, S3: what may write is being fenced when the right to write has ended. */
const checkFence = (state: MemberState, tell: Tell): void => {
  const { process, guardDeadline, tenure, snapshot, now, startedAt } = state;
  if (startedAt === undefined || !mayAcceptWrites(process) || isSuspended(state)) return;
  const underWay = state.lanes.server?.action.kind;
  if (underWay === 'fence' || underWay === 'exit') return;
  if (guardDeadline !== undefined && now >= guardDeadline)
    tell('the deadline of the guard has passed, and no fence is under way');
  if (tenure === undefined && snapshot !== undefined && !goesOnByPromises(state))
    tell('a server may accept writes without the lease, and no fence is under way');
};

/** S1, S3, S4: nothing becomes a primary without the lease and a confirmed deadline. */
const checkPrimary = (state: MemberState, { action }: Dispatch, tell: Tell): void => {
  const makesPrimary =
    action.kind === 'promote' || (action.kind === 'start-server' && action.as === 'primary');
  if (!makesPrimary) return;
  const { tenure, guardDeadline, promotion, now } = state;
  if (tenure === undefined || now >= (writeDeadline(state) ?? now))
    tell(`${action.kind} without the lease`);
  if (promiseInForce(state) !== undefined) tell(`${action.kind} while a promise is in force`);
  if (guardDeadline === undefined || now >= guardDeadline)
    tell(`${action.kind} without a deadline that the guard has confirmed`);
  if (action.kind === 'promote' && promotion?.term !== tenure?.term)
    tell('promote with a timeline number of another term');
  if (action.kind === 'promote' && promotion?.timeline !== action.timeline)
    tell('promote to a timeline that was not issued');
};

/** S4, S7: done to a silent server only. */
const NEEDS_SILENCE: ReadonlySet<ActionKind | TransactionPurpose> = new Set([
  'start-server',
  'measure-wal-end',
  'initialise',
  'clone',
  'keep-fork',
  'rewind',
  'install-data',
  'discard-unfinished',
  'release',
  'finish-bootstrap',
  'take-over-data',
]);

const checkSilence = (state: MemberState, { action }: Dispatch, tell: Tell): void => {
  const name = action.kind === 'transact' ? action.purpose : action.kind;
  const { process } = state;
  if (!NEEDS_SILENCE.has(name)) return;
  if (process.kind !== 'none' || !process.silent) tell(`${name}, and the server is not silent`);
};

const DECIDED_ON: readonly DocumentKey[] = [
  'initialize',
  'config',
  'sync',
  'failsafe',
  'failover',
  'handover',
  'holder',
  'timelines',
  'suspension',
];

const hasCompare = ({ compares }: StoreTransaction, key: DocumentKey, revision: number): boolean =>
  compares.some((compare: StoreCompare) => compare.key === key && compare.modRevision === revision);

const ON_TENURE: readonly TransactionPurpose[] = [
  'confirm',
  'release',
  'issue-timeline',
  'record-promotion',
  'suspend',
  'write-sync',
  'write-failsafe',
  'exchange-lease',
  'file-failover',
];

/** S1: each transaction on the leader key compares all that it was decided on. */
const checkTransaction = (state: MemberState, { action }: Dispatch, tell: Tell): void => {
  if (action.kind !== 'transact') return;
  const { purpose, transaction } = action;
  const store = state.snapshot?.value;
  const compares = (key: DocumentKey): boolean =>
    hasCompare(transaction, key, store?.[key]?.modRevision ?? 0);
  const touchesLeader = transaction.writes.some(
    (write) => 'key' in write && write.key === 'leader',
  );
  if (touchesLeader && !transaction.compares.some(({ key }) => key === 'leader'))
    tell(`${purpose} writes the leader key without comparing it`);
  if (purpose === 'acquire') {
    if (!hasCompare(transaction, 'leader', 0)) tell('acquire without "leader absent"');
    for (const key of DECIDED_ON) if (!compares(key)) tell(`acquire without comparing ${key}`);
    if (state.tenure !== undefined) tell('acquire while holding the lease');
    if (state.snapshotStale) tell('acquire on a snapshot that is known to be old');
    checkElectable(state, tell);
    checkNamed(state, tell);
  }
  const onTenure = ON_TENURE.includes(purpose);
  if (
    onTenure &&
    (state.tenure === undefined || !hasCompare(transaction, 'leader', state.tenure.term))
  )
    tell(`${purpose} without comparing the leader key with our term`);
  const isPrimary = mayAcceptWrites(state.process);
  if (WIDENS.includes(purpose) && isPrimary && !restsOnLease(state))
    tell(`${purpose} while the guard may be held by promises`);
  if (purpose === 'reclaim' && !(compares('leader') && compares('holder')))
    tell('reclaim without comparing leader and holder');
  if (purpose === 'exchange-lease') checkExchange(state, tell);
  if (purpose === 'file-failover') checkDue(state, tell);
  checkLease(state, action, tell);
};

/** S2: the guard is bound by the next lease, too, before the leader key can hang on it. */
const checkExchange = (
  { nextLease, guardLeaseId, guardDeadline }: MemberState,
  tell: Tell,
): void => {
  if (nextLease === undefined) return tell('exchange-lease without another lease');
  if (guardLeaseId !== nextLease.id) tell('exchange-lease, and the guard knows nothing of it');
  const deadline = deadlineOf(nextLease.renewedAt, nextLease.ttlMs);
  if (guardDeadline === undefined || guardDeadline > deadline)
    tell('exchange-lease, and the guard would let writers live beyond the new lease');
};

/** S9: who has promised is not elected, nor who is not named, unless an operator overrules that. */
const checkElectable = (state: MemberState, tell: Tell): void => {
  const { self, snapshot } = state;
  const request = requestNow(snapshot?.value);
  const isOverruled = request?.member === self.name && request.leader === undefined;
  if (promiseInForce(state) !== undefined) tell('acquire while a promise is in force');
  if (isLeftOut(self.name, snapshot?.value) && !isOverruled)
    tell('acquire, and not named in failsafe');
};

/** S14: what was asked for at a time is asked for then, once, and not in a pause. */
const checkDue = ({ schedules, snapshot }: MemberState, tell: Tell): void => {
  const { failover, config } = snapshot?.value ?? {};
  if (failover?.value.scheduledAt === undefined) tell('file-failover, and none waits for a time');
  if (schedules.switchoverDue?.revision !== failover?.modRevision)
    tell('file-failover before its time');
  if (isPauseOn(config?.value)) tell('file-failover in a pause');
};

/** S9: whoever may be elected has promised nothing; while promises count that stays as it is. */
const WIDENS: readonly TransactionPurpose[] = ['write-sync', 'write-failsafe'];

/** S9: a vote counts for an election, which whoever has promised takes no part in. */
const checkVote = ({ state, decisions }: StepResult, tell: Tell): void => {
  const voted = decisions.some(({ remember }) => remember?.vote !== undefined);
  if (voted && promiseInForce(state) !== undefined) tell('a vote while a promise is in force');
};

/** S9: the guard hears of no deadline that neither the lease nor promises carry. */
const checkExtension = (state: MemberState, { action }: Dispatch, tell: Tell): void => {
  if (action.kind === 'extend-deadline' && action.deadline > (writeDeadline(state) ?? 0))
    tell('the guard is given a deadline that nothing carries');
  if (action.kind !== 'ask-promises') return;
  const known = membersToAsk(state);
  if (known === undefined) tell('promises are asked for, and nobody knows of whom');
  if (!state.policy.failsafe) tell('promises are asked for, and failsafe mode is off');
};

/** S1: in a pause, or beside a server that may go on without a lease, only who was named stands. */
const checkNamed = ({ snapshot, self }: MemberState, tell: Tell): void => {
  const { config, suspension, failover } = snapshot?.value ?? {};
  const isNamed = requestNow(snapshot?.value)?.member === self.name;
  if (isPauseOn(config?.value) && !isNamed) tell('acquire in a pause without being named');
  if (suspension === undefined || suspension.value.member === self.name) return;
  const isLater = failover !== undefined && failover.modRevision > suspension.modRevision;
  if (!isNamed || !isLater || failover.value.leader !== undefined)
    tell('acquire beside a server that goes on without a lease, and nobody answers for that');
};

/** The leader key must go when we do: it hangs on our lease. */
const checkLease = (
  state: MemberState,
  { purpose, transaction: { writes } }: ActionOf<'transact'>,
  tell: Tell,
): void => {
  const lease = purpose === 'exchange-lease' ? state.nextLease : state.lease;
  for (const write of writes) {
    if ('remove' in write) continue;
    const leased = 'member' in write || write.key === 'leader' || write.key === 'bootstrap';
    if (leased && (write.leaseId === undefined || write.leaseId !== lease?.id))
      tell(`${'member' in write ? 'our member key' : write.key} does not hang on our lease`);
    if ('key' in write && write.key === 'leader' && write.put !== state.self.name)
      tell('the leader key is given to somebody else');
  }
};
