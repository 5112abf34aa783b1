/** What is known of the roles and databases whose commits wait for a standby. */
import type { ActionOf } from '../model/action.ts';
import { after } from '../model/instant.ts';
import { type WaitingSetting, isSameWaiting } from '../model/waiting.ts';
import type { Draft } from '../state.ts';

/** How often is looked: whoever creates a role that is named already has it wait soon after. */
export const WAITING_LOOK_MS = 10_000;

const nextLook = ({ now, policy }: Draft): Draft['now'] =>
  after(now, Math.max(WAITING_LOOK_MS, policy.loopWaitMs));

export const absorbWaiting = (
  draft: Draft,
  { roles, databases }: ActionOf<'show-waiting'>,
  settings: readonly WaitingSetting[],
): void => {
  const asked = { roles, databases };
  const before = draft.waiting;
  const isNew = before.asked === undefined || !isSameWaiting(before.asked, asked);
  const changedAt = isNew ? undefined : before.changedAt;
  draft.waiting = { asked, settings, lookAt: nextLook(draft), changedAt };
};

/** Nothing is known any more; looked again later, or the same fault would be met all the time. */
export const absorbWaitingFailure = (draft: Draft): void => {
  draft.waiting = { ...draft.waiting, asked: undefined, lookAt: nextLook(draft) };
};

/** Whether it holds, only another look tells. */
export const absorbWaitingChange = (draft: Draft): void => {
  draft.waiting = { ...draft.waiting, lookAt: draft.now };
};
