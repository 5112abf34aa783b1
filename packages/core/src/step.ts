/**
 * One member, one input: `step` turns what happened into facts, asks the rules what to do about
 * them, and sends at most one action per lane on its way. No clock, no I/O: the same function runs
 * in production and in the simulator.
 */
import { absorbInput } from './absorb/absorb-input.ts';
import { chores } from './chores/table.ts';
import { decide } from './decide.ts';
import { draftOf } from './draft.ts';
import { laneOf } from './lanes.ts';
import type { Action, Dispatch, Lane } from './model/action.ts';
import type { TimedInput } from './model/input.ts';
import { type Instant, earliest } from './model/instant.ts';
import type { Decision } from './rules/rule.ts';
import type { Draft, MemberState, StepEvent } from './state.ts';
import { deriveEvents } from './view/events.ts';
import { keepForStore } from './view/journal.ts';
import { deriveStory } from './view/story.ts';
import { type View, assembleView } from './view/view.ts';

export interface StepResult {
  readonly state: MemberState;
  /** To be performed, each by one call; its outcome comes back as an input. */
  readonly dispatches: readonly Dispatch[];
  readonly events: readonly StepEvent[];
  /** The rules that answered in this step, in order, with their evidence. */
  readonly decisions: readonly Decision[];
  /** A `tick` is due then at the latest. */
  readonly wakeAt: Instant | undefined;
}

/** Decisions that only change what is remembered let the rules be asked again, at most so often. */
const DECISIONS_PER_STEP = 8;

export const step = (state: MemberState, input: TimedInput): StepResult => {
  const draft = draftOf(state, input.now);
  absorbInput(draft, input);
  const run: Run = { draft, dispatches: [], events: [], decisions: [], wakeAt: undefined };
  if (draft.startedAt !== undefined) {
    applyChores(run, applyRules(run));
  }
  const { dispatches, decisions, wakeAt } = run;
  const events = [
    ...deriveEvents(state, draft),
    ...deriveStory(state, draft, input),
    ...run.events,
  ];
  draft.journal = keepForStore(draft, { events, decisions });
  return { state: draft, dispatches, events, decisions, wakeAt };
};

interface Run {
  readonly draft: Draft;
  readonly dispatches: Dispatch[];
  readonly events: StepEvent[];
  readonly decisions: Decision[];
  wakeAt: Instant | undefined;
}

/** Returns the view of what is so afterwards: what is sent on its way changes none of its facts. */
const applyRules = (run: Run): View => {
  const { draft } = run;
  let view = assembleView(draft);
  for (let count = 0; count < DECISIONS_PER_STEP; count += 1) {
    const { decision, askAgainAt } = decide(view);
    run.wakeAt = earliest(run.wakeAt, askAgainAt);
    run.decisions.push(decision);
    const { action, remember, event, rule, because } = decision;
    if (action !== undefined && !dispatch(run, action, decision.rule)) return view;
    if (remember !== undefined) {
      Object.assign(draft, remember);
      view = assembleView(draft);
    }
    if (event !== undefined) run.events.push({ ...event, rule, because });
    if (action !== undefined || remember === undefined) return view;
  }
  return view;
};

const applyChores = (run: Run, view: View): void => {
  const { draft } = run;
  for (const { lane, chore } of chores) {
    if (draft.lanes[lane] !== undefined) continue;
    const rest = draft.restUntil[lane];
    if (rest !== undefined && draft.now < rest) {
      run.wakeAt = earliest(run.wakeAt, rest);
      continue;
    }
    const answer = chore(view);
    if (answer === undefined) continue;
    if (answer.remember !== undefined) Object.assign(draft, answer.remember);
    if ('askAgainAt' in answer) run.wakeAt = earliest(run.wakeAt, answer.askAgainAt);
    else dispatch(run, answer.action, undefined);
  }
};

/** Fencing supersedes whatever is under way and rests for nothing. */
const isUrgent = (action: Action): boolean => action.kind === 'fence' || action.kind === 'exit';

/** Sends an action on its way; false when its lane is busy or rests. */
const dispatch = (run: Run, action: Action, rule: string | undefined): boolean => {
  const { draft } = run;
  const lane: Lane = laneOf(action);
  const rest = draft.restUntil[lane];
  const resting = rest !== undefined && draft.now < rest;
  if (!isUrgent(action) && (draft.lanes[lane] !== undefined || resting)) {
    if (resting) run.wakeAt = earliest(run.wakeAt, rest);
    return false;
  }
  const sent: Dispatch = { id: draft.nextId, lane, action, rule };
  draft.nextId += 1;
  draft.lanes = { ...draft.lanes, [lane]: { ...sent, sentAt: draft.now } };
  run.dispatches.push(sent);
  return true;
};
