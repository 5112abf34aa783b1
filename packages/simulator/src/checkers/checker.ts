import type { World } from '../world/world.ts';
import type { TenureLog } from './tenure-log.ts';
import type { Sighting } from './sighting.ts';

/** What a checker works with. */
export interface CheckerContext {
  readonly world: World;
  readonly tenures: TenureLog;
  /** Reports that the rule was broken by or on this host. */
  readonly report: (host: string, message: string) => void;
}

/** One rule of SPEC.md, watched from outside with the true facts. */
export interface Checker {
  readonly name: string;
  readonly see?: (sighting: Sighting) => void;
  /** After healing, when the world is at rest. */
  readonly atEnd?: () => void;
}

export type MakeChecker = (context: CheckerContext) => Checker;

export interface Violation {
  readonly checker: string;
  readonly host: string;
  readonly at: number;
  readonly message: string;
}
