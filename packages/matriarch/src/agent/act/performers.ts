import type { ActionKind, ActionOf, Failure, Results } from '@matriarch/core';

/** What a performer answers: the result of the call, or that it failed, or that nobody knows. */
export type PerformerResult<K extends ActionKind> =
  | ({ readonly kind: 'done' } & Results[K])
  | Failure;

/**
 * Carries out one kind of action by a single port call with a time limit of its own. It decides
 * nothing and never throws for a fault of the world around it.
 */
export type Performer<K extends ActionKind> = (action: ActionOf<K>) => Promise<PerformerResult<K>>;

/** One performer for every kind of action: complete by type. */
export type Performers = { readonly [K in ActionKind]: Performer<K> };
