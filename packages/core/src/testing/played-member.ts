/** A member that is told one input after the other; tests answer its actions by their kind. */
import type { ActionKind, Failure, Outcome, Results } from '../model/action.ts';
import type { Input, TimedInput } from '../model/input.ts';
import { type Instant, after } from '../model/instant.ts';
import type { InFlight, MemberState } from '../state.ts';
import { type StepResult, step } from '../step.ts';
import { deepFreeze } from './deep-freeze.ts';

export class PlayedMember {
  state: MemberState;
  last: StepResult | undefined;

  constructor(state: MemberState) {
    this.state = deepFreeze(state);
  }

  get now(): Instant {
    return this.state.now;
  }

  /** The rules that answered the last input, in order. */
  get rules(): readonly string[] {
    return this.last?.decisions.map(({ rule }) => rule) ?? [];
  }

  tell(input: Input & Pick<TimedInput, 'wallClock'>, waitMs = 0): StepResult {
    const now = after(this.state.now, waitMs);
    const result = step(this.state, deepFreeze({ ...input, now }));
    this.state = deepFreeze(result.state);
    this.last = result;
    return result;
  }

  tick(waitMs = 0): StepResult {
    return this.tell({ kind: 'tick' }, waitMs);
  }

  /** The action of this kind that is under way. */
  underWay(kind: ActionKind): InFlight | undefined {
    return Object.values(this.state.lanes).find((flight) => flight?.action.kind === kind);
  }

  /** Answers the action of this kind that is under way; throws when there is none. */
  done<K extends ActionKind>(kind: K, result: Results[K], waitMs = 0): StepResult {
    return this.#answer(kind, { kind: 'done', ...result }, waitMs);
  }

  fails(kind: ActionKind, failure: Failure, waitMs = 0): StepResult {
    return this.#answer(kind, failure, waitMs);
  }

  #answer(kind: ActionKind, result: object, waitMs: number): StepResult {
    const flight = this.underWay(kind);
    if (flight === undefined) {
      const others = Object.values(this.state.lanes).map((other) => other?.action.kind);
      throw new Error(`no ${kind} is under way, but: ${others.filter(Boolean).join(', ')}`);
    }
    const outcome = { id: flight.id, kind, result } as Outcome;
    return this.tell({ kind: 'outcome', outcome }, waitMs);
  }
}
