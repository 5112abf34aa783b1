import type { ActionKind, ActionOf, Failure, Results } from '@matriarch/core';
import type { World } from '../../world/world.ts';
import type { LoopProcess } from '../loop-process.ts';
import type { SimHost } from '../sim-host.ts';

/** Where an action is performed. Whatever is left to do when the loop dies is not done. */
export interface Performing {
  readonly loop: LoopProcess;
  readonly host: SimHost;
  readonly world: World;
}

export type Result<K extends ActionKind> = ({ readonly kind: 'done' } & Results[K]) | Failure;

/** Carries out one action with the time that takes, then answers once. */
export type Performer<K extends ActionKind> = (
  performing: Performing,
  action: ActionOf<K>,
  answer: (result: Result<K>) => void,
) => void;

export const failed = (cause: string): Failure => ({ kind: 'failed', cause });
