/** What `matriarch drill` is asked for. */
import { MODES, type SwitchedMode, isMode } from '../drills/replication-mode.ts';
import type { DrillResult } from '../drills/report.ts';
import type { Scenario } from '../drills/scenario.ts';
import { findScenario, scenarios } from '../drills/scenarios.ts';
import { type ArgumentValues, textOf } from './arguments.ts';
import { readFound } from './drill-report.ts';

export const drillUsage =
  '[-c FILE|--private] NAME|--all [--mode asynchronous|synchronous|quorum] [--repeat N] ' +
  '[--report FILE.json|FILE.html] [--resume]';

const REPEAT_MAX = 1_000;

export interface WantedDrills {
  readonly scenarios: readonly Scenario[];
  readonly mode: SwitchedMode | undefined;
  readonly repeat: number;
  readonly report: string | undefined;
  readonly found: readonly DrillResult[];
}

export type ReadDrills =
  | ({ readonly kind: 'wanted' } & WantedDrills)
  | { readonly kind: 'wrong'; readonly mistakes: readonly string[] };

const NAMES = scenarios.map(({ name }) => name).join(', ');

/** Everything that is wrong with what was asked for, at once. */
export const readDrills = (values: ArgumentValues, name: string | undefined): ReadDrills => {
  const { all, mode, repeat = '1', resume } = values;
  const report = textOf(values['report']);
  const scenario = name === undefined ? undefined : findScenario(name);
  const mistakes: string[] = [];
  if (values['private'] === true && values['cluster'] !== undefined)
    mistakes.push('either -c FILE or --private, which makes a cluster of its own');
  if (name === undefined && all !== true) mistakes.push(`name a drill, or say --all: ${NAMES}`);
  if (name !== undefined && all === true) mistakes.push(`either ${name} or --all`);
  if (name !== undefined && scenario === undefined)
    mistakes.push(`there is no drill "${name}"; there are ${NAMES}`);
  if (mode !== undefined && !isMode(mode))
    mistakes.push(`--mode is ${MODES.join(', ')}; not "${String(mode)}"`);
  if (!/^[1-9]\d*$/.test(String(repeat)) || Number(repeat) > REPEAT_MAX)
    mistakes.push(`--repeat is a number from 1 to ${REPEAT_MAX}, not "${String(repeat)}"`);
  if (report !== undefined && !/\.(?:json|html)$/.test(report))
    mistakes.push(`--report is a file that ends in .json or .html, not "${report}"`);
  if (resume === true && report?.endsWith('.json') !== true)
    mistakes.push('--resume goes on with what --report FILE.json has found: name that file');
  const found = resume === true && report !== undefined ? readFound(report) : [];
  if (typeof found === 'string') mistakes.push(found);
  if (mistakes.length > 0 || typeof found === 'string') return { kind: 'wrong', mistakes };
  return {
    kind: 'wanted',
    scenarios: scenario === undefined ? scenarios : [scenario],
    mode: isMode(mode) ? mode : undefined,
    repeat: Number(repeat),
    report,
    found,
  };
};
