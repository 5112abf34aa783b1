import {
  type Action,
  type ActionKind,
  type Dispatch,
  type Input,
  type Instant,
  type MemberState,
  type Outcome,
  type StepResult,
  elapsedMs,
  step,
  wallTime,
} from '@matriarch/core';
import type { PerformerResult, Performers } from '../act/performers.ts';

/** The loop wakes at least this often, whatever the last step asked for. */
const LONGEST_SLEEP_MS = 1_000;

export interface LoopParts {
  readonly initial: MemberState;
  readonly now: () => Instant;
  /** Milliseconds since 1970, for what people ask for at a time. */
  readonly wallClockMs: () => number;
  readonly performers: Performers;
  /** Told of every step, for the journal, the log and whoever waits for a change. */
  readonly onStep: (result: StepResult, input: Input) => void;
  /** A performer broke its promise not to throw: a fault of ours, and the end of this process. */
  readonly onDefect: (error: unknown) => void;
}

export interface AgentLoop {
  readonly state: () => MemberState;
  /** Hands an input to the next step. */
  readonly feed: (input: Input) => void;
  readonly stop: () => void;
}

/**
 * The shell around `step`: one input at a time, actions sent to their performers, outcomes fed back
 * as inputs. It holds no knowledge of its own.
 */
export const createAgentLoop = (parts: LoopParts): AgentLoop => {
  const { performers, now, wallClockMs, onStep, onDefect } = parts;
  let state = parts.initial;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const inputs: Input[] = [];
  let stepping = false;
  let serverWork: Promise<unknown> = Promise.resolve();

  const feed = (input: Input): void => {
    inputs.push(input);
    if (stepping || stopped) return;
    stepping = true;
    try {
      for (let next = inputs.shift(); next !== undefined && !stopped; next = inputs.shift())
        takeStep(next);
    } finally {
      stepping = false;
    }
  };

  const takeStep = (input: Input): void => {
    const result = step(state, { ...input, now: now(), wallClock: wallTime(wallClockMs()) });
    ({ state } = result);
    onStep(result, input);
    for (const dispatch of result.dispatches) send(dispatch);
    sleepUntil(result.wakeAt);
  };

  /**
   * What a fence has superseded goes on until it has settled: whatever changes the server next
   * waits for that. Only a fence never waits.
   */
  const begin = ({ lane, action }: Dispatch): Promise<PerformerResult<ActionKind>> => {
    if (lane !== 'server' || action.kind === 'fence' || action.kind === 'exit')
      return perform(performers, action);
    const work = serverWork.then(async () => perform(performers, action));
    serverWork = work.catch(() => undefined);
    return work;
  };

  const send = (dispatch: Dispatch): void => {
    const { id, action } = dispatch;
    begin(dispatch).then(
      (result) => feed({ kind: 'outcome', outcome: outcomeOf(id, action.kind, result) }),
      onDefect,
    );
  };

  const sleepUntil = (wakeAt: Instant | undefined): void => {
    clearTimeout(timer);
    if (stopped) return;
    const wait = wakeAt === undefined ? LONGEST_SLEEP_MS : elapsedMs(now(), wakeAt);
    const bounded = Math.min(Math.max(wait, 1), LONGEST_SLEEP_MS);
    timer = setTimeout(() => feed({ kind: 'tick' }), bounded);
  };

  return {
    state: () => state,
    feed,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
};

/** The table is complete by type; that the kinds agree is what TypeScript cannot see here. */
const perform = async (
  performers: Performers,
  action: Action,
): Promise<PerformerResult<ActionKind>> => {
  const performer = performers[action.kind] as (
    action: Action,
  ) => Promise<PerformerResult<ActionKind>>;
  return performer(action);
};

const outcomeOf = (id: number, kind: ActionKind, result: PerformerResult<ActionKind>): Outcome =>
  ({ id, kind, result }) as Outcome;
