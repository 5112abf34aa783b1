import type { Action } from '../model/action.ts';
import type { Instant } from '../model/instant.ts';
import type { Draft, StepEvent } from '../state.ts';
import type { View } from '../view/view.ts';

/** The rule does not apply yet, but by itself it may from this instant on. */
export interface Later {
  readonly askAgainAt: Instant;
}

/** What a rule answers when it applies. */
export interface Answer {
  /** The evidence, in words and figures. */
  readonly because: string;
  /** What to do now; undefined: wait. */
  readonly action?: Action | undefined;
  /** When to look again at the latest, if nothing happens before. */
  readonly until?: Instant | undefined;
  /** What the member will remember from now on; applied before the action is sent. */
  readonly remember?: Partial<Draft> | undefined;
  readonly event?: StepEvent | undefined;
}

/**
 * One rule. Its id is a sentence and stable for ever. `table.ts` has their order: the first one
 * that applies answers.
 */
export interface Rule {
  readonly id: string;
  /** Urgent rules are asked also while another action is under way, and supersede it. */
  readonly urgent?: boolean;
  /** When it applies, as a sentence. */
  readonly when: string;
  readonly does: string;
  readonly why: string;
  /** What goes wrong without it. */
  readonly without: string;
  readonly decide: (view: View) => Answer | Later | undefined;
}

export interface Decision extends Answer {
  readonly rule: string;
}

export const event = (
  name: string,
  level: StepEvent['level'],
  details: StepEvent['details'] = {},
): StepEvent => ({ name, level, details });
