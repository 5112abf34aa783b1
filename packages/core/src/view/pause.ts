/**
 * What a pause means for this member (rule S1).
 *
 * A paused cluster does nothing by itself. Its primary goes on even when its lease cannot be
 * renewed. That is safe only because the store says so for as long as it may happen:
 *
 *   lease held, pause read ─▶ `suspension` written ─▶ guard told ─▶ store away, lease over: goes on
 *   pause over, lease held ─▶ guard told ─▶ `suspension` removed
 *
 * While `suspension` names a member nobody else takes the lease, paused or not, unless an operator
 * names him: whoever cannot be reached cannot know that the pause is over.
 */
import type { MemberName } from '../model/member.ts';
import { isPauseOn } from '../model/operating.ts';
import type { StoreSnapshot } from '../model/store.ts';
import type { MemberState } from '../state.ts';
import { requestNow } from './schedules.ts';
import type { View } from './view.ts';

/** The newest documents say that the cluster is paused. */
export const isPaused = ({ store }: View): boolean => isPauseOn(store?.config?.value);

/** Only members of ours leave the lease alone that another one may be going on without (S12). */
const allAreOurs = ({ store }: View): boolean =>
  Object.values(store?.members ?? {}).every(({ value }) => value.ours);

/** A primary may go on without its lease, as soon as everybody has been told. */
export const mayGoOn = (view: View): boolean => isPaused(view) && allAreOurs(view);

/** The document is of this very run of our guard: no other one was told to go on. */
export const isSuspensionOurs = ({ snapshot, self }: MemberState): boolean => {
  const suspension = snapshot?.value.suspension?.value;
  return suspension?.member === self.name && suspension.life.run === self.life.run;
};

/** This loop has written it, and has not asked for it to be taken back. */
export const isAnnounced = ({ snapshot, operating: { announced } }: MemberState): boolean =>
  announced !== undefined && snapshot?.value.suspension?.modRevision === announced;

/** Another member may be accepting writes without a lease. */
export const isSuspensionOfOther = ({ store, state: { self } }: View): boolean =>
  store?.suspension !== undefined && store.suspension.value.member !== self.name;

/** Nobody stands for the lease by himself: only whom an operator names. */
export const isHeldBack = (self: MemberName, store: StoreSnapshot | undefined): boolean => {
  const suspended = store?.suspension?.value.member;
  return isPauseOn(store?.config?.value) || (suspended !== undefined && suspended !== self);
};

export const needsName = ({ state, store }: View): boolean => isHeldBack(state.self.name, store);

/**
 * Our server goes on without a lease: the guard has confirmed it, and nothing that the store has
 * said since takes it back.
 */
export const isSuspended = (state: MemberState): boolean => {
  if (state.operating.suspended !== 'yes' || state.process.kind !== 'running') return false;
  if (state.snapshot === undefined) return true;
  const { leader } = state.snapshot.value;
  return isSuspensionOurs(state) && (leader === undefined || leader.value === state.self.name);
};

/**
 * Whom an operator has named for the lease. Beside a server that may go on without it only a
 * failover counts, asked for after that was written: nobody has answered for that server before.
 */
export const namedCandidate = (view: View): MemberName | undefined => {
  const { failover, suspension } = view.store ?? {};
  const request = requestNow(view.store);
  if (failover === undefined || request === undefined) return undefined;
  const { leader, member } = request;
  if (suspension === undefined || !isSuspensionOfOther(view)) return member;
  return leader === undefined && failover.modRevision > suspension.modRevision ? member : undefined;
};

/** Whether a stopped server may be touched although the cluster is paused. */
export const mayTouchStopped = ({ state, data }: View): boolean => {
  const { operation, mayStart } = state.operating;
  if (operation !== undefined || state.leaving !== undefined || mayStart === 'always') return true;
  if (state.vacating !== undefined && state.vacating.cause !== 'crash') return true;
  const isShutDown = data?.control === 'shut-down' || data?.control === 'shut-down-in-recovery';
  return mayStart === 'if-shut-down' && isShutDown;
};

/** The restart that an operator has asked for has begun: the end of our server is part of it. */
export const isRestarting = ({ operating: { operation } }: MemberState): boolean =>
  operation?.request.kind === 'restart' && operation.stage === 'stopping';
