import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ledger } from '../../drills/ledger.ts';
import {
  type DemoReport,
  type DrillRun,
  faultReportOf,
  findProblems,
  formatRun,
} from '../../drills/report.ts';
import { runScenario } from '../../drills/run-scenario.ts';
import { mustFindScenario } from '../../drills/scenarios.ts';
import { startTraffic } from '../../drills/traffic.ts';
import { createTable, trafficOf } from '../../drills/traffic-of-cluster.ts';
import { drillClusterOf } from '../../drills/up-cluster.ts';
import { stateDirectoryOf } from '../../local/directories.ts';
import { awaitReady } from '../../local/await-ready.ts';
import { describeUp, startUp } from '../../local/main.ts';
import type { RunningUp } from '../../local/running-up.ts';
import { destroyState } from '../../local/destroy-state.ts';
import { parseArguments, textOf } from '../arguments.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';

const usage = '[--report FILE] [--keep]';
const NAME = 'matriarch-demo';
/** As a shell says it of a program that was ended by SIGINT. */
const INTERRUPTED_STATUS = 130;
const FAULTS = ['primary-crash', 'host-loss', 'switchover'].map(mustFindScenario);
const MODE = 'quorum';

export const demoCommand: Command = {
  summary: 'runs a cluster under load, harms it three times, and reports what applications saw',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: {
        report: { type: 'string' },
        keep: { type: 'boolean' },
        yes: { type: 'boolean' },
      },
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `demo ${usage}`);
    const state = stateDirectoryOf(NAME, process.cwd());
    const gone = await destroyState(state);
    if (gone !== undefined) {
      complain(gone);
      return 1;
    }
    mkdirSync(state, { recursive: true, mode: 0o755 });
    const file = join(state, 'cluster.yaml');
    writeFileSync(file, `cluster: ${NAME}\nmembers: 3\nreplication: {mode: ${MODE}}\n`);
    const stopped = waitForSignal();
    const started = await startUp({ file, print: say, printError: complain });
    if (started.kind === 'refused') {
      for (const message of started.messages) complain(message);
      return started.status;
    }
    const { up } = started;
    const { keep, report } = parsed.values;
    const status = await Promise.race([
      show(up, textOf(report)),
      stopped.then(() => 'interrupted' as const),
    ]).catch(async (error: unknown) => {
      await up.stop();
      throw error;
    });
    if (status === 0 && keep === true) {
      say('the cluster goes on until Ctrl-C; in another terminal: npx matriarch list');
      await stopped;
    }
    say('stopping …');
    await up.stop();
    // What went wrong is in the logs: they stay until the next demo.
    if (status !== 1) await destroyState(state);
    // The load goes on until it is stopped, and nobody is there any more to stop it.
    if (status === 'interrupted') process.exit(INTERRUPTED_STATUS);
    return status;
  },
};

const show = async (up: RunningUp, reportFile: string | undefined): Promise<number> => {
  say('a cluster of three members starts: etcd, PostgreSQL, HAProxy, PgBouncer');
  if (!(await awaitReady(up, say))) {
    complain(`the cluster is not ready; the logs are in ${up.paths.logs}`);
    return 1;
  }
  say(`${await describeUp(up)}\n`);
  const ledger = new Ledger();
  const traffic = trafficOf(up, ledger);
  await createTable(traffic);
  const clients = startTraffic(traffic);
  say('4 writers and 2 readers are at work, through PgBouncer and through HAProxy\n');
  const cluster = drillClusterOf(up);
  const runs: DrillRun[] = [];
  const problems: string[] = [];
  for (const fault of FAULTS) {
    const run = await runScenario({ cluster, ledger, traffic }, fault);
    if (run === undefined) problems.push(`${fault.name}: the cluster is not whole before it`);
    // The next one is for a whole cluster.
    if (run === undefined) break;
    runs.push(run);
    problems.push(...findProblems(run, MODE).map((problem) => `${fault.name}: ${problem}`));
    say(`${formatRun(run)}\n`);
    if (run.wholeMs === null) break;
  }
  await clients.stop();
  const report: DemoReport = {
    cluster: up.config.cluster,
    store: await up.describeStore(),
    faults: runs.map(faultReportOf),
  };
  if (reportFile !== undefined)
    writeFileSync(reportFile, `${JSON.stringify(report, undefined, 2)}\n`);
  for (const problem of problems) complain(problem);
  return problems.length === 0 ? 0 : 1;
};

const waitForSignal = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
