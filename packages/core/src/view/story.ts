/**
 * What of a step the story of an incident cannot do without: what was seen of the lease and of our
 * own server, and what came of the actions that matter. `explain` puts these in their order.
 */
import type { Action, Failure, Outcome } from '../model/action.ts';
import type { TimedInput } from '../model/input.ts';
import { elapsedMs } from '../model/instant.ts';
import { formatLsn } from '../model/lsn.ts';
import type { StoreSnapshot } from '../model/store.ts';
import type { InFlight, MemberState, StepEvent } from '../state.ts';

type Details = StepEvent['details'];
type Tell = (name: string, level: StepEvent['level'], details?: Details) => void;

export const deriveStory = (
  before: MemberState,
  after: MemberState,
  input: TimedInput,
): StepEvent[] => {
  const events: StepEvent[] = [];
  const tell: Tell = (name, level, details = {}) => {
    events.push({ name, level, details });
  };
  if (before.startedAt === undefined && after.startedAt !== undefined)
    tell('loop.began', 'info', { host: after.self.life.host });
  tellLease(before, after, tell);
  tellRequest(before, after, tell);
  tellScheduled(before, after, { input, tell });
  if (input.kind === 'guard-fenced')
    tell('server.fenced', 'warn', {
      by: 'guard',
      because: 'its deadline passed',
      silent: input.silent,
    });
  if (input.kind === 'outcome') events.push(...tellOutcome(before, after, input.outcome));
  tellServer(before, after, tell);
  return events;
};

/** Who was seen to hold the lease, and that nobody does. */
const tellLease = (before: MemberState, after: MemberState, tell: Tell): void => {
  const store = after.snapshot?.value;
  if (store === undefined) return;
  const { leader } = store;
  const seen = before.snapshot?.value.leader;
  if (before.vacantSince === undefined && after.vacantSince !== undefined)
    tell('lease.vacant', 'warn', vacancyOf(seen, store));
  if (leader === undefined || leader.modRevision === seen?.modRevision) return;
  if (leader.value !== after.self.name)
    tell('lease.held', 'info', { holder: leader.value, term: leader.modRevision });
};

/** What the store says of a lease that is gone: released in its holder's own words, or not. */
const vacancyOf = (seen: StoreSnapshot['leader'], store: StoreSnapshot): Details => {
  const { handover, holder, status, members } = store;
  const name = seen?.value ?? handover?.value.from ?? holder?.value.member;
  const end = handover?.value.end;
  return {
    ...(name === undefined ? {} : { holder: name, memberGone: members[name] === undefined }),
    ...(seen === undefined ? {} : { term: seen.modRevision }),
    ...(handover === undefined ? {} : { released: handover.value.cause }),
    ...(handover?.value.heir === undefined ? {} : { heir: handover.value.heir }),
    ...(end?.known === true
      ? { end: formatLsn(end.position.lsn), timeline: end.position.timeline }
      : {}),
    ...(status === undefined ? {} : { lastKnown: formatLsn(status.value.optime) }),
  };
};

const tellRequest = (before: MemberState, after: MemberState, tell: Tell): void => {
  const document = after.snapshot?.value.failover;
  if (document === undefined || before.snapshot === undefined) return;
  if (document.modRevision === before.snapshot.value.failover?.modRevision) return;
  const { leader, member, scheduledAt } = document.value;
  if (leader === undefined && member === undefined) return;
  tell('switchover.requested', 'info', {
    request: document.modRevision,
    ...(leader === undefined ? {} : { from: leader }),
    ...(member === undefined ? {} : { to: member }),
    ...(scheduledAt === undefined ? {} : { for: scheduledAt.text }),
  });
};

/** A restart at a time was asked for, taken back, or found in our key by a new loop. */
const tellScheduled = (
  before: MemberState,
  after: MemberState,
  { input, tell }: { readonly input: TimedInput; readonly tell: Tell },
): void => {
  const was = before.schedules.restart?.schedule.text;
  const is = after.schedules.restart?.schedule.text;
  if (was === undefined && is !== undefined) tell('restart.scheduled', 'info', { for: is });
  const isCancelled = input.kind === 'request' && input.request.kind === 'cancel-restart';
  if (was !== undefined && is === undefined && isCancelled)
    tell('restart.cancelled', 'info', { for: was });
};

const tellServer = (before: MemberState, after: MemberState, tell: Tell): void => {
  const { probe, process } = after;
  const answer = probe?.value.kind === 'answers' ? probe.value : undefined;
  const isPrivate = process.kind === 'running' && process.startedAs === 'private';
  if (!before.accepting && after.accepting && answer !== undefined && !isPrivate)
    tell('primary.accepting', 'info', {
      timeline: answer.lineage.timeline,
      ...(answer.position.known ? { position: formatLsn(answer.position.position.lsn) } : {}),
    });
  if (before.streaming && !after.streaming && process.kind === 'running' && !after.accepting)
    tell('standby.stream-lost', 'info');
};

type Transacted = Extract<Outcome, { readonly kind: 'transact' }>['result'];

/** Transactions that are part of no story: they go on all the time. */
const ROUTINE: ReadonlySet<string> = new Set(['confirm', 'publish-member', 'publish-journal']);

const tellOutcome = (before: MemberState, after: MemberState, outcome: Outcome): StepEvent[] => {
  const flight = Object.values(before.lanes).find((one) => one?.id === outcome.id);
  if (flight === undefined) return [];
  const { action, rule, sentAt } = flight;
  const told: StepEvent[] = [];
  const tell: Tell = (name, level, details = {}) => {
    const tookMs = elapsedMs(sentAt, after.now);
    told.push({ name, level, details: { ...details, tookMs }, rule });
  };
  if (outcome.kind === 'transact') tellTransaction(flight, outcome.result, tell);
  else if (outcome.result.kind === 'done') tellDone(before, outcome, { action, tell });
  else tellFailed(outcome.kind, outcome.result, tell);
  return told;
};

/** `sentAt` bounds the moment of the store's revision from below, on this member's own clock. */
const tellTransaction = ({ action, sentAt }: InFlight, result: Transacted, tell: Tell): void => {
  if (action.kind !== 'transact' || ROUTINE.has(action.purpose)) return;
  const { purpose } = action;
  if (result.kind !== 'done')
    tell('transaction.failed', 'warn', { purpose, outcome: result.kind, cause: result.cause });
  else if (result.applied)
    tell('transaction.applied', 'debug', { purpose, written: result.revision, sentAt });
  else tell('transaction.refused', 'info', { purpose });
};

interface Told {
  readonly action: Action;
  readonly tell: Tell;
}

const tellDone = (before: MemberState, outcome: Outcome, { action, tell }: Told): void => {
  if (outcome.result.kind !== 'done') return;
  switch (outcome.kind) {
    case 'fence': {
      const { silent } = outcome.result;
      const by = action.kind === 'fence' ? action.by : 'guard';
      return tell('server.fenced', silent ? 'info' : 'error', { by, silent });
    }
    case 'stop-server':
      return tell('server.stopped', 'info', { mode: outcome.result.mode });
    case 'checkpoint':
      if (before.vacating !== undefined) tell('checkpoint.made', 'info');
      return;
    case 'measure-wal-end': {
      const content = before.disk?.value.content;
      if (content?.kind === 'data')
        tell('wal.measured', 'info', {
          end: formatLsn(outcome.result.end),
          timeline: content.lineage.timeline,
        });
      return;
    }
    case 'keep-fork':
      if (action.kind === 'keep-fork')
        tell('fork.kept', 'warn', {
          timeline: action.fork.timeline,
          from: formatLsn(action.fork.switchLsn),
          to: formatLsn(action.end),
          bytes: Number(action.end - action.fork.switchLsn),
          path: outcome.result.keptAt,
        });
      return;
    case 'rewind':
      return tell(
        'member.rewound',
        'info',
        action.kind === 'rewind' ? { to: action.to.member } : {},
      );
    case 'clone':
      return tell(
        'member.cloned',
        'info',
        action.kind === 'clone' ? { from: action.from.member } : {},
      );
    default:
  }
};

/** Actions whose failure changes the story. */
const FAILURES: Readonly<Partial<Record<Outcome['kind'], string>>> = {
  fence: 'server.not-fenced',
  'start-server': 'server.not-started',
  'stop-server': 'server.not-stopped',
  promote: 'server.not-promoted',
  'measure-wal-end': 'wal.not-measured',
  'keep-fork': 'fork.not-kept',
  rewind: 'member.not-rewound',
  clone: 'member.not-cloned',
};

const tellFailed = (kind: Outcome['kind'], failure: Failure, tell: Tell): void => {
  const name = FAILURES[kind];
  if (name !== undefined) tell(name, 'warn', { outcome: failure.kind, cause: failure.cause });
};
