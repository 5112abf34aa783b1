/** Looking at our own server and its data directory. */
import { after } from '../model/instant.ts';
import { type View, endedTerm, hasPassed, ownPosition } from '../view/view.ts';
import { offerToUs } from '../rules/rescuing.ts';
import type { Chore } from './chore.ts';

/** How often a server is asked that does what it should. */
export const PROBE_INTERVAL_MS = 1_000;
/** While it is being promoted applications wait for the answer. */
const PROMOTION_PROBE_MS = 5;
/** While it starts, at first, and when it takes longer. */
const STARTING_PROBE_MS = 20;
const STARTING_PROBE_LATER_MS = 250;
const STARTING_FIRST_MS = 3_000;
const ENDING_STREAM_PROBE_MS = 50;
/** The lease is handed over when the rescued WAL has been read, and applications wait for that. */
const READING_PROBE_MS = 20;
/** Until the names hold only the primary may be elected. */
const PROVING_PROBE_MS = 100;

/** An election waits for our stream to end. */
const isEndingStream = (view: View): boolean =>
  view.electorate !== undefined &&
  view.state.vacantSince !== undefined &&
  view.state.vote !== endedTerm(view);

/** PostgreSQL has been given the last WAL of a crashed primary and has not read all of it. */
const isReadingRescued = (view: View): boolean => {
  const { fetched } = view.state;
  if (fetched === undefined || offerToUs(view) === undefined) return false;
  const position = ownPosition(view);
  return position === undefined || position.lsn < fetched.lsn;
};

const isProving = ({ state: { sync }, server }: View): boolean =>
  server?.inRecovery === false && sync.shown !== undefined && !sync.proven && sync.told !== '';

const probeIntervalMs = (view: View): number => {
  const { promotion, processSince, policy } = view.state;
  if (promotion?.stage === 'signalled') return PROMOTION_PROBE_MS;
  if (isEndingStream(view)) return ENDING_STREAM_PROBE_MS;
  if (isReadingRescued(view)) return READING_PROBE_MS;
  if (isProving(view)) return PROVING_PROBE_MS;
  if (view.server === undefined && view.state.probe?.value.kind !== 'refuses')
    return hasPassed(view, processSince, STARTING_FIRST_MS)
      ? STARTING_PROBE_LATER_MS
      : STARTING_PROBE_MS;
  return Math.min(PROBE_INTERVAL_MS, policy.loopWaitMs);
};

export const probeServer: Chore = (view) => {
  const { process, probe, vacantSince } = view.state;
  if (process.kind !== 'running') return undefined;
  const action = { kind: 'probe-server' } as const;
  if (probe === undefined) return { action };
  // An election is held on positions from after the lease became free.
  if (vacantSince !== undefined && probe.at < vacantSince) return { action };
  const dueAt = after(probe.at, probeIntervalMs(view));
  return view.now >= dueAt ? { action } : { askAgainAt: dueAt };
};

export const inspectDisk: Chore = (view) => {
  const { disk, asideKept, startedAt, process, lanes } = view.state;
  if (startedAt === undefined || lanes.server !== undefined) return undefined;
  const unknown = view.silent && disk === undefined;
  const unseen = process.kind === 'running' && asideKept === undefined;
  return unknown || unseen ? { action: { kind: 'inspect-disk' } } : undefined;
};
