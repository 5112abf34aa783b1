/** The one door of the package. */
export { KeyValueCore } from './store/key-value-core.ts';
export { KeyValueFacade } from './store/key-value-facade.ts';
export { PARTS, type ScriptedFault } from './faults/fault-schedule.ts';
export { type Profile, profiles } from './faults/profiles.ts';
export { plants } from './plants/table.ts';
export { type RunOptions, type RunResult, runSeed } from './run/run-seed.ts';
