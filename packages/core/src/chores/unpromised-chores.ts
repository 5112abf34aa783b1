/** Counting the commits that nobody can promise (rule S6). */
import type { Interrupted } from '../replication/unpromised.ts';
import { isSynchronous } from '../rules/prepared.ts';
import { whyRestart } from '../rules/vacating.ts';
import { type View, peersSince } from '../view/view.ts';
import type { Chore } from './chore.ts';

/** An answer that comes later than the server's start is of no use. */
const ASK_LIMIT_MS = 1_000;

/** The rules ask by themselves as long as another member may take over. */
const areAskedByRules = (view: View): boolean => {
  const { vacating, processSince } = view.state;
  if (peersSince(view, processSince) !== undefined) return true;
  return vacating !== undefined && whyRestart(view, vacating) === undefined;
};

/** Where this loop has not seen whom commits waited for, the store says so. */
const mayHaveWaited = ({ electorate, state }: View, { names }: Interrupted): boolean =>
  names !== undefined || (electorate?.leader === state.self.name && electorate.voters.length > 0);

/**
 * While a primary that will be started in place is silent, standbys can receive nothing: what they
 * hold now is what they have of it. Nothing waits for their answers.
 */
export const askHeld: Chore = (view) => {
  const { unpromised } = view.state;
  const { interrupted } = unpromised;
  if (interrupted === undefined || interrupted.askedAt !== undefined) return undefined;
  // Until its data directory has been looked at it may turn out that there is nothing to ask.
  if (!view.silent || !view.holding || view.data?.standbySignal !== false) return undefined;
  if (view.otherMembers.length === 0) return undefined;
  if (!mayHaveWaited(view, interrupted) || areAskedByRules(view)) return undefined;
  return {
    action: { kind: 'ask-held', members: view.otherMembers, limitMs: ASK_LIMIT_MS },
    remember: {
      unpromised: { ...unpromised, interrupted: { ...interrupted, askedAt: view.now } },
    },
  };
};

export const countExposed: Chore = ({ server, state }) => {
  const [range] = state.unpromised.ranges;
  if (range === undefined || server?.inRecovery !== false) return undefined;
  return { action: { kind: 'count-exposed', range } };
};

/**
 * Once in the log of each server, so that what one before it has written last is not left out; then
 * again and again in that of a primary.
 */
export const countCancelled: Chore = (view) => {
  const { process, unpromised } = view.state;
  if (view.server === undefined || process.kind !== 'running') return undefined;
  if (process.startedAs === 'private' || !isSynchronous(view)) return undefined;
  const action = { kind: 'count-cancelled', pid: process.pid } as const;
  if (unpromised.lookedIn !== process.pid) return { action };
  if (view.server.inRecovery) return undefined;
  return view.now >= unpromised.lookAt ? { action } : { askAgainAt: unpromised.lookAt };
};
