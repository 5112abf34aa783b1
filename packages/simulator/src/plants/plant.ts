import type {
  Action,
  ActionKind,
  GuardEffect,
  OperationAnswer,
  Outcome,
  PromiseRequest,
  WallTime,
} from '@matriarch/core';
import type { ScriptedFault } from '../faults/fault-schedule.ts';
import type { SimHost } from '../host/sim-host.ts';

export type ActionResult = Outcome['result'];

/** An action that is not performed but answered as if it were. */
export interface Pretended {
  readonly pretend: ActionResult;
}

/**
 * A planted mistake: the real core with one rule or one comparison taken away from outside. Each
 * must be caught by a checker, or the checker is worth nothing.
 */
export interface Plant {
  readonly name: string;
  /** What is wrong with the world. */
  readonly says: string;
  /** Checkers of which one must catch it. */
  readonly caughtBy: readonly string[];
  /** The fault profile it is looked for with. */
  readonly profile: string;
  /** The search begins with this seed, from 1 on, which is known to find it; undefined: with 1. */
  readonly from?: number;
  /** A scene: chosen faults at chosen moments, instead of those of the seed. */
  readonly scene?: readonly ScriptedFault[];
  readonly alterAction?: (action: Action, host: SimHost, rule: string) => Action | Pretended;
  readonly alterResult?: (kind: ActionKind, result: ActionResult, host: SimHost) => ActionResult;
  /** An answer that the loop gives without having been told of the request. */
  readonly alterRequest?: (request: PromiseRequest, host: SimHost) => OperationAnswer | undefined;
  /** What a loop is told of its host's wall clock. */
  readonly alterWallClock?: (time: WallTime, host: SimHost) => WallTime;
  /** Undefined: the effect does not happen. */
  readonly alterEffect?: (effect: GuardEffect, host: SimHost) => GuardEffect | undefined;
}
