/**
 * Rules for what operators have asked for at a time. Both become what is asked for now, and go on
 * from there like it:
 *
 *   restart     waits ─due─▶ asked (operating)
 *   switchover  waits in the store ─due─▶ written there anew without its time (switching)
 *
 * What cannot begin within one and a half times loop_wait is dropped, as in Patroni: whoever chose
 * the time did not choose any later one.
 */
import { type Instant, after } from '../model/instant.ts';
import { askedOperation } from '../model/operating.ts';
import type { Schedule } from '../model/schedule.ts';
import type { FailoverDocument } from '../model/store.ts';
import { withoutRestart } from '../model/schedules.ts';
import { isPaused } from '../view/pause.ts';
import { isStillStarting, whyNotMeant } from '../view/restart-conditions.ts';
import { awaitedAt, lateLimitMs } from '../view/schedules.ts';
import type { View } from '../view/view.ts';
import { whyBusy } from './operating.ts';
import { type Answer, type Later, type Rule, event } from './rule.ts';
import { clearFailover, fileFailover } from './transactions.ts';

/** How the request of a scheduled restart is called: nobody waits for its answer. */
const SCHEDULED_ID = 'scheduled';

const at = (instant: Instant | undefined): Later | undefined =>
  instant === undefined ? undefined : { askAgainAt: instant };

/** Until when what is due since then may begin. */
const limitAt = ({ state: { policy } }: View, since: Instant): Instant =>
  after(since, lateLimitMs(policy));

const isLate = (view: View, since: Instant): boolean => view.now > limitAt(view, since);

/** What keeps a restart from beginning that could begin later. */
const whyRestartWaits = (view: View): string | undefined => {
  const held = whyHeld(view);
  if (held !== undefined) return held;
  return isStillStarting(view) ? 'postgres is still starting' : whyBusy(view);
};

/** What nothing begins beside. */
const whyHeld = (view: View): string | undefined => {
  const { operation } = view.state.operating;
  if (isPaused(view)) return 'the cluster is paused';
  return operation === undefined ? undefined : `${operation.request.kind} already in progress`;
};

const missed = ({ text }: Schedule, why: string | undefined): string =>
  `it was to begin at ${text}, and ${why ?? 'nobody was there to begin it'}`;

const dropRestart = (
  { state: { schedules } }: View,
  because: string,
  level: 'info' | 'warn',
): Answer => ({
  because,
  remember: { schedules: withoutRestart(schedules) },
  event: event('restart.dropped', level, { for: schedules.restart?.schedule.text ?? '', because }),
});

export const dropRestartThatHasHappened: Rule = {
  id: 'drop-restart-that-has-happened',
  when: 'a restart waits for its time, and the server has been started anew since it was asked for',
  does: 'drops it',
  why: 'what it was to bring is there: the server has read its settings, or is the new version',
  without: 'a server that was restarted by hand is away a second time',
  decide: (view) => {
    const before = view.state.schedules.restart?.postmasterStartedAt;
    const started = view.server?.startedAt;
    if (before === undefined || started === undefined || started === before) return undefined;
    const because = `the server was started at ${started}`;
    return dropRestart(view, because, 'info');
  },
};

const whyDropRestart = (view: View): string | undefined => {
  const { restart, restartDueAt: since } = view.state.schedules;
  if (restart === undefined || since === undefined) return undefined;
  const waits = whyRestartWaits(view);
  if (isLate(view, since)) return missed(restart.schedule, waits);
  return waits === undefined ? whyNotMeant(view, restart.conditions) : undefined;
};

export const dropScheduledRestart: Rule = {
  id: 'drop-scheduled-restart',
  when: 'a restart is due and not meant for this server as it is, or could not begin in time',
  does: 'drops it, with the reason',
  why: 'role, version and pending settings count when it begins; a later time was not asked for',
  without: 'the restart of a replica hits a primary, or one of the night comes in the morning',
  decide: (view) => {
    const because = whyDropRestart(view);
    return because === undefined ? undefined : dropRestart(view, because, 'warn');
  },
};

export const beginScheduledRestart: Rule = {
  id: 'begin-scheduled-restart',
  when: 'a restart is due, its conditions hold, and nothing stands in its way',
  does: 'has the server restarted, like one that is asked for now',
  why: 'operators choose a quiet hour, and need not be awake in it',
  without: 'a restart at a time is a promise that nobody keeps',
  decide: (view) => {
    const { state, now } = view;
    const { restart, restartDueAt: since } = state.schedules;
    if (restart === undefined) return undefined;
    const { schedule, limitMs } = restart;
    if (since === undefined) return at(awaitedAt(state, schedule));
    if (whyRestartWaits(view) !== undefined) return at(after(limitAt(view, since), 1));
    const request = { kind: 'restart', id: SCHEDULED_ID, limitMs } as const;
    return {
      because: `its time has come: ${schedule.text}`,
      remember: {
        schedules: withoutRestart(state.schedules),
        operating: { ...state.operating, operation: askedOperation(request, now) },
      },
      event: event('restart.due', 'info', { for: schedule.text }),
    };
  },
};

interface Waiting {
  readonly schedule: Schedule;
  /** Why it is nothing that can wait for a time, whoever has written it; undefined: it can. */
  readonly fault: string | undefined;
  /** On the boot clock; undefined: its time has not come. */
  readonly since: Instant | undefined;
}

/** The switchover in the store that waits for its time, if it is ours to begin. */
const waitingSwitchover = ({ holding, store, state }: View): Waiting | undefined => {
  const { failover } = store ?? {};
  const schedule = failover?.value.scheduledAt;
  if (!holding || failover === undefined || schedule === undefined) return undefined;
  const { switchoverDue } = state.schedules;
  const isDue = switchoverDue?.revision === failover.modRevision;
  const fault = whyNoSwitchover(failover.value);
  return { schedule, fault, since: isDue ? switchoverDue.since : undefined };
};

/** A failover answers for a primary that cannot be asked, which nobody can say beforehand. */
const whyNoSwitchover = ({ leader, scheduledAt }: FailoverDocument): string | undefined => {
  if (scheduledAt?.at === undefined) return `"${scheduledAt?.text}" is no time with a time zone`;
  return leader === undefined ? 'a failover cannot wait for a time' : undefined;
};

/** What keeps a switchover from beginning that could begin later. */
const whySwitchoverWaits = (view: View): string | undefined => {
  const { vacating, leaving } = view.state;
  const held = whyHeld(view);
  if (held !== undefined) return held;
  if (leaving !== undefined) return 'the member is about to stop';
  if (vacating !== undefined) return `${vacating.cause} is being dealt with`;
  return view.server?.inRecovery === false ? undefined : 'the server is no running primary';
};

export const dropScheduledSwitchover: Rule = {
  id: 'drop-scheduled-switchover',
  when: 'a switchover could not begin in time, or what waits is no switchover or no time',
  does: 'takes the request back, with the reason',
  why: 'whoever chose the time did not choose any later one',
  without: 'the primary moves in the morning because the cluster was paused at night',
  decide: (view) => {
    const waiting = waitingSwitchover(view);
    if (waiting === undefined || view.store === undefined) return undefined;
    const { schedule, fault, since } = waiting;
    const isMissed = since !== undefined && isLate(view, since);
    if (fault === undefined && !isMissed) return undefined;
    const because = fault ?? missed(schedule, whySwitchoverWaits(view));
    return {
      because,
      action: clearFailover(view.store),
      event: event('switchover.dropped', 'warn', { for: schedule.text, because }),
    };
  },
};

export const beginScheduledSwitchover: Rule = {
  id: 'begin-scheduled-switchover',
  when: 'we are the primary, and a switchover is due that was asked for at a time',
  does: 'writes the request anew without its time, so that it is asked for now',
  why: 'from there on it is due in the store: no clock and no crash makes it due a second time',
  without: 'a switchover at a time is a promise that nobody keeps',
  decide: (view) => {
    const waiting = waitingSwitchover(view);
    const { tenure } = view.state;
    if (waiting === undefined || view.store === undefined || tenure === undefined) return undefined;
    const { schedule, since } = waiting;
    if (since === undefined) return at(awaitedAt(view.state, schedule));
    if (whySwitchoverWaits(view) !== undefined) return at(after(limitAt(view, since), 1));
    return {
      because: `its time has come: ${schedule.text}`,
      action: fileFailover(view.store, tenure),
      event: event('switchover.due', 'info', { for: schedule.text }),
    };
  },
};

export const scheduledRestartRules: readonly Rule[] = [
  dropRestartThatHasHappened,
  dropScheduledRestart,
  beginScheduledRestart,
];

export const scheduledSwitchoverRules: readonly Rule[] = [
  dropScheduledSwitchover,
  beginScheduledSwitchover,
];
