import type { Action } from '../model/action.ts';
import type { Instant } from '../model/instant.ts';
import type { Draft } from '../state.ts';
import type { View } from '../view/view.ts';

export interface Due {
  readonly action: Action;
  readonly remember?: Partial<Draft> | undefined;
}

export interface NotYet {
  readonly askAgainAt: Instant;
  readonly remember?: Partial<Draft> | undefined;
}

/**
 * Work that goes on whatever the rules decide: renewing, looking, publishing. A chore never changes
 * who is primary. Each has a lane of its own and is asked whenever that lane is idle.
 */
export type Chore = (view: View) => Due | NotYet | undefined;
