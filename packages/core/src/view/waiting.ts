/** Whose commits wait for a standby, as the primary knows it. */
import { type WaiterReport, isSameWaiting } from '../model/waiting.ts';
import { reportWaiting } from '../replication/waiting.ts';
import type { MemberState } from '../state.ts';
import type { View } from './view.ts';

/** Only a primary that holds the lease changes settings: standbys get them with its WAL. */
export const mayManageWaiting = ({ holding, server, state }: View): boolean =>
  holding &&
  server?.inRecovery === false &&
  state.vacating === undefined &&
  state.process.kind === 'running' &&
  state.process.startedAs !== 'private';

/** The server was asked for just those that the policy names. */
export const isWaitingKnown = ({ waiting, policy }: MemberState): boolean =>
  waiting.asked !== undefined && isSameWaiting(waiting.asked, policy.waiting);

/** For the member's own documents; undefined: there is nothing to tell, or nothing is known. */
export const ownWaiting = (view: View): readonly WaiterReport[] | undefined => {
  const { waiting, policy } = view.state;
  if (!mayManageWaiting(view) || !isWaitingKnown(view.state)) return undefined;
  const report = reportWaiting(waiting.settings, policy.waiting);
  return report.length === 0 ? undefined : report;
};
