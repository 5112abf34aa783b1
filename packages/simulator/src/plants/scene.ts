import type { ScriptedFault } from '../faults/fault-schedule.ts';

/** A fault at a chosen moment. It hits the lease holder of then, unless `more` names a host. */
export const fault = (
  at: number,
  name: ScriptedFault['name'],
  more: Partial<ScriptedFault> = {},
): ScriptedFault => ({ at, name, lastsMs: 50, draws: [], ...more });
