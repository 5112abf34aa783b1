import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type JsonObject, explain } from '@matriarch/core';
import { renderReport } from '../../drills/render-report.ts';
import {
  MODES,
  type SwitchedMode,
  isMode,
  modeOf,
  withMode,
} from '../../drills/replication-mode.ts';
import type { DrillMode, DrillReport } from '../../drills/report.ts';
import { runDrills } from '../../drills/run-drills.ts';
import { type Scenario, needsOf } from '../../drills/scenario.ts';
import { findScenario, scenarios } from '../../drills/scenarios.ts';
import { drillClusterOf } from '../../drills/up-cluster.ts';
import { awaitReady } from '../../local/await-ready.ts';
import type { LocalPaths } from '../../local/directories.ts';
import { findRunningUp, releaseLock, takeLock } from '../../local/up-lock.ts';
import { type ArgumentValues, parseArguments, textOf } from '../arguments.ts';
import { hearCluster } from '../hear-cluster.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import { proxyJournalFile, proxyPlace } from '../proxy-place.ts';
import type { Command } from '../verbs.ts';
import { type ClusterAccess, withCluster } from '../with-cluster.ts';

const usage =
  '[-c FILE] NAME|--all [--mode asynchronous|synchronous|quorum] [--repeat N] ' +
  '[--report FILE.json|FILE.html] [--resume]';

const REPEAT_MAX = 1_000;

interface Wanted {
  readonly scenarios: readonly Scenario[];
  readonly mode: SwitchedMode | undefined;
  readonly repeat: number;
  readonly report: string | undefined;
  readonly found: DrillReport['drills'];
}

export const drillCommand: Command = {
  summary: 'harms a cluster on purpose, under load, and reports what applications saw',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: {
        cluster: { type: 'string', short: 'c' },
        all: { type: 'boolean' },
        mode: { type: 'string' },
        repeat: { type: 'string' },
        report: { type: 'string' },
        resume: { type: 'boolean' },
      },
      positionals: 1,
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `drill ${usage}`);
    const wanted = readWanted(parsed.values, parsed.positionals[0]);
    if (wanted.kind === 'wrong') return refuseUsage(wanted.mistakes.join('\n'), `drill ${usage}`);
    return withCluster(textOf(parsed.values['cluster']), (access) => drill(access, wanted));
  },
};

type ReadWanted =
  | ({ readonly kind: 'wanted' } & Wanted)
  | { readonly kind: 'wrong'; readonly mistakes: readonly string[] };

const NAMES = scenarios.map(({ name }) => name).join(', ');

/** Everything that is wrong with what was asked for, at once. */
const readWanted = (values: ArgumentValues, name: string | undefined): ReadWanted => {
  const { all, mode, repeat = '1', resume } = values;
  const report = textOf(values['report']);
  const scenario = name === undefined ? undefined : findScenario(name);
  const mistakes: string[] = [];
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

const drill = async (access: ClusterAccess, wanted: Wanted): Promise<number> => {
  const { config, paths } = access;
  const refusal = whyNot(access);
  if (refusal !== undefined || paths === undefined) {
    complain(refusal ?? 'its members are on several hosts');
    return 3;
  }
  const playable = wanted.scenarios.filter((scenario) => needsOf(scenario).length === 0);
  for (const scenario of wanted.scenarios.filter((one) => !playable.includes(one)))
    complain(`${scenario.name}: left out: it needs ${needsOf(scenario).join(' and ')}`);
  if (playable.length === 0) return 3;
  const problem = canWrite(wanted.report);
  if (problem !== undefined) {
    complain(problem);
    return 2;
  }
  const taken = takeTurn(access, paths);
  if (taken !== undefined) {
    complain(taken);
    return 3;
  }
  const before = access.snapshot.config?.value;
  const mode = wanted.mode ?? modeOf(before);
  say(`cluster ${config.cluster}, ${mode} replication; drills: ${playable.length}`);
  const stopping = listenForStop();
  try {
    if (!(await changeMode(access, wanted.mode))) return 1;
    return await play({ ...access, paths }, { ...wanted, scenarios: playable, mode }, stopping);
  } finally {
    if (before !== undefined) await restoreConfig(access, before);
    releaseLock(paths.drill);
  }
};

const whyNot = ({ config, paths }: ClusterAccess): string | undefined => {
  if (!config.drills.allowed)
    return (
      `drills harm a cluster on purpose, and cluster ${config.cluster} is not marked for that: ` +
      'write `drills: allowed` into its cluster.yaml if nobody misses what is in it'
    );
  if (paths === undefined) return `cluster ${config.cluster} is on several hosts: drills harm one`;
  return findRunningUp(paths.lock) === undefined
    ? `cluster ${config.cluster} is not up: \`matriarch up\` starts it`
    : undefined;
};

/** Two at once would take each other's harm for what the cluster does. */
const takeTurn = ({ config }: ClusterAccess, { drill: lock }: LocalPaths): string | undefined => {
  try {
    const other = takeLock(lock, config.cluster);
    return other === undefined
      ? undefined
      : `cluster ${config.cluster} is being drilled already (process ${other.pid}): ` +
          'wait for its end, or stop it with Ctrl-C';
  } catch (error) {
    return (
      `${lock}: cannot be written (${messageOf(error)}): ` +
      'drills are run by the user who has started the cluster'
    );
  }
};

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Before anything is harmed: an hour of drills is not to end in a report nobody can read. */
const canWrite = (file: string | undefined): string | undefined => {
  if (file === undefined) return undefined;
  try {
    writeFileSync(file, '', { flag: 'a' });
    return undefined;
  } catch (error) {
    return `${file}: cannot be written (${messageOf(error)})`;
  }
};

const changeMode = async (access: ClusterAccess, mode: Wanted['mode']): Promise<boolean> => {
  const { config: stored } = access.snapshot;
  if (mode === undefined || stored === undefined) return true;
  const document = withMode(stored.value, mode);
  if (document === stored.value) return true;
  const written = await access.writeConfig({ document, seen: stored.modRevision });
  if (written.kind === 'done' && written.applied) return true;
  complain('the cluster-wide configuration could not be changed; nothing was harmed');
  return false;
};

const restoreConfig = async (access: ClusterAccess, before: JsonObject): Promise<void> => {
  const stored = (await access.readAgain())?.config;
  if (stored === undefined || JSON.stringify(stored.value) === JSON.stringify(before)) return;
  const written = await access.writeConfig({ document: before, seen: stored.modRevision });
  if (written.kind !== 'done' || !written.applied)
    complain('the cluster-wide configuration is not what it was: `matriarch show-config` shows it');
};

const listenForStop = (): (() => boolean) => {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (!stopping) say('stopping after this run: what is harmed is healed first …');
      stopping = true;
    });
  return () => stopping;
};

const play = async (
  access: ClusterAccess & { readonly paths: LocalPaths },
  wanted: Omit<Wanted, 'mode'> & { readonly mode: DrillMode },
  isStopping: () => boolean,
): Promise<number> => {
  const { config, paths, secrets, readAgain } = access;
  const cluster = drillClusterOf({ config, paths, secrets, snapshot: readAgain });
  const storeTrouble = (): undefined => undefined;
  const up = { config, snapshot: readAgain, storeTrouble, isStopping };
  if (!(await awaitReady(up, () => undefined))) {
    complain(`cluster ${config.cluster} is not whole; \`matriarch list\` shows what is missing`);
    return 1;
  }
  const proxyJournal = proxyJournalFile(proxyPlace(config, paths));
  const { report, problems } = await runDrills(cluster, {
    ...wanted,
    say,
    keep: (now) => write(wanted.report, now),
    explain: async () =>
      explain(
        (await hearCluster({ config, snapshot: await readAgain(), proxyJournal })).testimonies,
      ).incidents,
    isStopping,
  });
  write(wanted.report, report);
  if (wanted.report !== undefined) say(`the report is in ${wanted.report}`);
  for (const problem of problems) complain(problem);
  return problems.length === 0 ? 0 : 1;
};

const write = (file: string | undefined, report: DrillReport): void => {
  if (file === undefined) return;
  const text = file.endsWith('.html')
    ? renderReport(report)
    : `${JSON.stringify(report, undefined, 2)}\n`;
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
};
