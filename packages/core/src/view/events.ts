/** What has changed for people to know, told from the facts before and after a step. */
import { elapsedMs } from '../model/instant.ts';
import type { MemberState, StepEvent } from '../state.ts';
import { isBridged, promiseInForce } from './failsafe.ts';
import { deriveUnpromised } from './unpromised.ts';

type Details = StepEvent['details'];

export const deriveEvents = (before: MemberState, after: MemberState): StepEvent[] => {
  const events: StepEvent[] = [];
  const tell = (name: string, level: StepEvent['level'], details: Details = {}): void => {
    events.push({ name, level, details });
  };
  tellLease(before, after, tell);
  tellServer(before, after, tell);
  tellStore(before, after, tell);
  tellPause(before, after, tell);
  tellFailsafe(before, after, tell);
  events.push(...deriveUnpromised(before, after));
  return events;
};

type Tell = (name: string, level: StepEvent['level'], details?: Details) => void;

const tellLease = (before: MemberState, after: MemberState, tell: Tell): void => {
  if (before.tenure?.term === after.tenure?.term) return;
  if (before.tenure !== undefined && after.tenure !== undefined)
    tell('lease.exchanged', 'info', { term: after.tenure.term, ttlMs: after.lease?.ttlMs ?? 0 });
  else if (after.tenure !== undefined) tell('lease.acquired', 'info', { term: after.tenure.term });
  else if (before.tenure !== undefined) tell('lease.ended', 'info', { term: before.tenure.term });
};

const tellServer = (before: MemberState, after: MemberState, tell: Tell): void => {
  const { process } = after;
  if (before.process.kind !== 'running' && process.kind === 'running')
    tell(before.startedAt === undefined ? 'server.found' : 'server.started', 'info', {
      pid: process.pid,
      as: process.startedAs,
    });
  if (after.lastExit !== undefined && after.lastExit !== before.lastExit) {
    const { code, signal, pid, startedAs, promoted } = after.lastExit.value;
    const asked = before.lanes.server?.action.kind === 'stop-server';
    tell('server.exited', asked ? 'info' : 'error', {
      pid,
      as: startedAs,
      ...(promoted ? { promoted } : {}),
      ...(code === null ? {} : { code }),
      ...(signal === null ? {} : { signal }),
    });
  }
  const silentNow = process.kind === 'none' && process.silent;
  if (silentNow && !(before.process.kind === 'none' && before.process.silent))
    tell('server.silent', 'info', { afterMs: elapsedMs(before.processSince, after.now) });
  if (!before.streaming && after.streaming) tell('standby.streaming', 'info', upstreamOf(after));
  const refusal = refusalOf(after);
  if (refusal !== undefined && refusal !== refusalOf(before))
    tell('server.refuses-us', 'error', { cause: refusal });
  if (before.silentSince === undefined && after.silentSince !== undefined && before.probe)
    tell('server.not-answering', 'warn');
};

const upstreamOf = ({ probe }: MemberState): Details =>
  probe?.value.kind === 'answers' && probe.value.upstream !== undefined
    ? { upstream: probe.value.upstream, timeline: probe.value.lineage.timeline }
    : {};

const refusalOf = ({ probe }: MemberState): string | undefined =>
  probe?.value.kind === 'refuses' ? probe.value.cause : undefined;

/** From here on the server goes on without a lease; or, while it runs, not any more. */
const tellPause = (before: MemberState, after: MemberState, tell: Tell): void => {
  const was = before.operating.suspended === 'yes';
  const is = after.operating.suspended === 'yes';
  if (is && !was) tell('deadline.suspended', 'info');
  if (was && !is && after.process.kind === 'running') tell('deadline.kept', 'info');
};

const describeRefusals = ({ failsafe: { refusals } }: MemberState): string =>
  Object.entries(refusals)
    .map(([name, why]) => `${name}: ${why}`)
    .join('; ');

/** From here on promises carry the server, or do not any more; and what we promise others. */
const tellFailsafe = (before: MemberState, after: MemberState, tell: Tell): void => {
  const { promised, askedAt } = after.failsafe;
  if (!isBridged(before) && isBridged(after))
    tell('failsafe.begun', 'warn', { promised: Object.keys(promised).join(', ') });
  if (isBridged(before) && !isBridged(after)) {
    const isCarried = after.tenure !== undefined && after.now < after.tenure.deadline;
    const because = isCarried ? 'the lease counts again' : 'not enough have promised in time';
    tell('failsafe.over', isCarried ? 'info' : 'error', { because });
  }
  const refusals = describeRefusals(after);
  if (askedAt !== undefined && refusals !== '' && refusals !== describeRefusals(before))
    tell('failsafe.refused', 'warn', { by: refusals });
  const given = promiseInForce(after);
  const bound = promiseInForce(before);
  if (given !== undefined && bound?.to !== given.to)
    tell('promise.given', 'info', { to: given.to ?? '', forMs: given.ttlMs });
  if (given === undefined && bound !== undefined) tell('promise.over', 'info');
};

const tellStore = (before: MemberState, after: MemberState, tell: Tell): void => {
  if (before.storeFailingSince === undefined && after.storeFailingSince !== undefined)
    tell('store.unreachable', 'warn');
  if (before.storeFailingSince !== undefined && after.storeFailingSince === undefined)
    tell('store.reachable', 'info', {
      afterMs: elapsedMs(before.storeFailingSince, after.now),
    });
};
