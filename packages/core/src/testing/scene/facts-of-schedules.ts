/** Lines about what waits for a time. */
import type { Instant } from '../../model/instant.ts';
import type { RestartConditions, Schedule } from '../../model/schedule.ts';
import type { Revision } from '../../model/store.ts';
import { type LineReader, NOW, wallTimeAt } from './line.ts';
import { type Facts, REVISIONS, STARTED, type SceneDraft } from './scene-draft.ts';

/** How people would write that instant of a scene. */
export const scheduleFor = (instant: Instant): Schedule => {
  const at = wallTimeAt(instant);
  return { text: new Date(at).toISOString(), at };
};

const ROLES = ['primary', 'replica', 'standby_leader'] as const;

const readConditions = (line: LineReader): RestartConditions => ({
  role: line.choice(ROLES),
  postgresVersion: line.text('older than'),
  pendingOnly: line.has('if pending'),
});

/** `scheduled restart: for 10s ago, due since 10s ago, replica, if pending, within 30s` */
const readRestart = (line: LineReader, { state }: SceneDraft): void => {
  state.schedules = {
    ...state.schedules,
    restartDueAt: line.time('due since'),
    restart: {
      schedule: scheduleFor(line.time('for') ?? NOW),
      conditions: readConditions(line),
      limitMs: line.duration('within'),
      postmasterStartedAt: line.has('of no server') ? undefined : STARTED,
    },
  };
};

const readSwitchoverDue = (line: LineReader, { state }: SceneDraft): void => {
  const revision = (line.number('revision') ?? REVISIONS.failover) as Revision;
  const since = line.time('since') ?? NOW;
  state.schedules = { ...state.schedules, switchoverDue: { revision, since } };
};

export const factsOfSchedules: Facts = {
  'scheduled restart': { read: readRestart },
  'switchover due': { read: readSwitchoverDue },
  'wall clock': {
    read: (line, { state }) => {
      if (line.has('never told')) state.schedules = { ...state.schedules, clock: undefined };
    },
  },
};
