/** What `matriarch drill` is asked for, and the report it writes. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { renderReport } from '../drills/render-report.ts';
import { MODES, type SwitchedMode, isMode } from '../drills/replication-mode.ts';
import type { DrillReport } from '../drills/report.ts';
import type { Scenario } from '../drills/scenario.ts';
import { findScenario, scenarios } from '../drills/scenarios.ts';
import { type ArgumentValues, textOf } from './arguments.ts';

export const drillUsage =
  '[-c FILE|--private] NAME|--all [--mode asynchronous|synchronous|quorum] [--repeat N] ' +
  '[--report FILE.json|FILE.html] [--resume]';

const REPEAT_MAX = 1_000;

export interface WantedDrills {
  readonly scenarios: readonly Scenario[];
  readonly mode: SwitchedMode | undefined;
  readonly repeat: number;
  readonly report: string | undefined;
  readonly found: DrillReport['drills'];
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

/** What an earlier exercise has written; nothing yet is no mistake. */
const readFound = (file: string): DrillReport['drills'] | string => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  if (text === '') return [];
  try {
    const { drills } = (JSON.parse(text) ?? {}) as Partial<DrillReport>;
    if (drills !== undefined && 'length' in drills) return drills;
  } catch {
    // Said below.
  }
  return `${file}: is no report of drills; name another file, or remove it`;
};

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Before anything is harmed: an hour of drills is not to end in a report nobody can read. */
export const whyNotWritable = (file: string | undefined): string | undefined => {
  if (file === undefined) return undefined;
  try {
    writeFileSync(file, '', { flag: 'a' });
    return undefined;
  } catch (error) {
    return `${file}: cannot be written (${messageOf(error)})`;
  }
};

export const writeReport = (file: string | undefined, report: DrillReport): void => {
  if (file === undefined) return;
  const text = file.endsWith('.html')
    ? renderReport(report)
    : `${JSON.stringify(report, undefined, 2)}\n`;
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
};
