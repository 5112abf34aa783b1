/**
 * `npm run bench:failover`: every fault ten times on one cluster under load, medians into
 * docs/benchmarks. Not a test: nothing here is asserted.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateDirectoryOf } from '../local/directories.ts';
import { destroyState } from '../local/destroy-state.ts';
import { awaitReady } from '../local/await-ready.ts';
import { startUp } from '../local/main.ts';
import { withDescendants } from '../local/process-tree.ts';
import type { RunningUp } from '../local/running-up.ts';
import { Ledger } from './ledger.ts';
import { median } from './median.ts';
import type { DrillRun } from './report.ts';
import { runScenario } from './run-scenario.ts';
import { mustFindScenario } from './scenarios.ts';
import { startTraffic } from './traffic.ts';
import { createTable, trafficOf } from './traffic-of-cluster.ts';
import { drillClusterOf } from './up-cluster.ts';

const NAME = 'matriarch-bench';
const ROUNDS = Number(process.argv[3] ?? 10);
const FAULTS = ['primary-crash', 'switchover', 'host-loss'];
/** A crash within a minute of another one restarts in place (rule S13): not measured here. */
const ROUND_MS = 62_000;
const IDLE_MS = 20_000;
/** Ticks of the kernel's clock in which processor time is counted. */
const TICKS_PER_SECOND = 100;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

interface Usage {
  readonly rssBytes: number;
  readonly cpuTicks: number;
}

/** Guard and loop of a member together; PostgreSQL is not counted. */
const usageOf = (agentPid: number): Usage => {
  let rssBytes = 0;
  let cpuTicks = 0;
  for (const pid of withDescendants([agentPid])) {
    const name = readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
    if (!name.startsWith('node')) continue;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    cpuTicks += Number(fields[11]) + Number(fields[12]);
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    rssBytes += Number(kilobytes ?? 0) * 1_024;
  }
  return { rssBytes, cpuTicks };
};

interface IdleFigures {
  readonly member: string;
  readonly rssMegabytes: number;
  readonly cpuPercent: number;
}

const measureIdle = async (up: RunningUp): Promise<IdleFigures[]> => {
  const names = up.config.members.map(({ name }) => name);
  const read = (): Map<string, Usage> =>
    new Map(names.map((name) => [name, usageOf(up.cluster.pids().get(name) ?? 0)]));
  const before = read();
  await sleep(IDLE_MS);
  const after = read();
  return names.map((member) => {
    const ticks = (after.get(member)?.cpuTicks ?? 0) - (before.get(member)?.cpuTicks ?? 0);
    return {
      member,
      rssMegabytes: Math.round((after.get(member)?.rssBytes ?? 0) / 1_048_576),
      cpuPercent: Number(((ticks / TICKS_PER_SECOND / (IDLE_MS / 1_000)) * 100).toFixed(1)),
    };
  });
};

const run = async (directory: string): Promise<number> => {
  const state = stateDirectoryOf(NAME, process.cwd());
  const gone = await destroyState(state);
  if (gone !== undefined) {
    say(gone);
    return 1;
  }
  mkdirSync(state, { recursive: true, mode: 0o755 });
  const file = join(state, 'cluster.yaml');
  writeFileSync(file, `cluster: ${NAME}\nmembers: 3\n`);
  const started = await startUp({ file, print: say, printError: say });
  if (started.kind === 'refused') {
    for (const message of started.messages) say(message);
    return started.status;
  }
  const { up } = started;
  try {
    if (!(await awaitReady(up, say))) return 1;
    await sleep(IDLE_MS);
    const idle = await measureIdle(up);
    for (const figures of idle) say(JSON.stringify(figures));
    writeReport(directory, {
      idle,
      faults: await measureFaults(up),
      ttlMs: up.config.timing.ttlMs,
    });
    return 0;
  } finally {
    await up.stop();
    await destroyState(state);
  }
};

const measureFaults = async (up: RunningUp): Promise<DrillRun[]> => {
  const ledger = new Ledger();
  const traffic = trafficOf(up, ledger);
  const cluster = drillClusterOf(up);
  await createTable(traffic);
  const clients = startTraffic(traffic);
  const faults: DrillRun[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now();
    for (const fault of FAULTS) {
      const result = await runScenario({ cluster, ledger, traffic }, mustFindScenario(fault));
      if (result === undefined) throw new Error(`${fault}: the cluster is not whole`);
      faults.push(result);
      const { oldPrimary, newPrimary, writeOutageMs, lost, rejoinedMs } = result;
      say(
        `${round + 1}/${ROUNDS} ${fault}: ${oldPrimary} → ${newPrimary}, writes stopped ` +
          `${writeOutageMs} ms, lost ${lost}, all streaming after ${rejoinedMs ?? '?'} ms`,
      );
    }
    await sleep(Math.max(0, ROUND_MS - (performance.now() - begun)));
  }
  await clients.stop();
  return faults;
};

interface Figures {
  readonly idle: readonly IdleFigures[];
  readonly faults: readonly DrillRun[];
  readonly ttlMs: number;
}

const writeReport = (directory: string, { idle, faults, ttlMs }: Figures): void => {
  const rows = FAULTS.map((fault) => {
    const runs = faults.filter((one) => one.scenario === fault);
    const outages = runs.map(({ writeOutageMs }) => writeOutageMs);
    const rejoined = runs.flatMap(({ rejoinedMs }) => (rejoinedMs === null ? [] : [rejoinedMs]));
    const moved = runs.filter(({ oldPrimary, newPrimary }) => oldPrimary !== newPrimary).length;
    const errors = runs.map(({ clientErrors }) => clientErrors);
    return (
      `| ${fault} | ${runs.length} | ${moved} | ${median(outages)} | ${Math.min(...outages)} | ` +
      `${Math.max(...outages)} | ${median(errors)} | ${median(rejoined)} |`
    );
  });
  const lost = faults.reduce((sum, fault) => sum + (fault.lost ?? Number.NaN), 0);
  const memory = Math.round(totalmem() / 1_073_741_824);
  const text = [
    '# Failover',
    '',
    'Written by `npm run bench:failover`: three members, three etcd, HAProxy and PgBouncer on one',
    'machine, 4 writers and 2 readers at work all the time, half of them through PgBouncer. Times',
    'in milliseconds as the writers saw them: the longest time in which no write was acknowledged.',
    '',
    `Machine: ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${memory} GB, ` +
      `Node ${process.version}; ttl ${ttlMs / 1_000} s, asynchronous replication.`,
    '',
    '| fault | runs | primary moved | median | min | max | statements with an error (median) | ' +
      'all members stream again (median) |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    'A crash moves the primary when a standby had received all of its WAL; otherwise the same',
    'server starts again in place, and nothing is lost either way.',
    '',
    `Acknowledged writes the last primary did not have, over all runs: ${lost} (host losses`,
    'included: replication is asynchronous here; what no replica had received goes with the host).',
    '',
    `An idle member, guard and loop together, over ${IDLE_MS / 1_000} s:`,
    '',
    '| member | memory (MB) | processor (% of a core) |',
    '|---|---|---|',
    ...idle.map((one) => `| ${one.member} | ${one.rssMegabytes} | ${one.cpuPercent} |`),
    '',
  ].join('\n');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'failover.md'), text);
  say(text);
};

process.exitCode = await run(process.argv[2] ?? 'docs/benchmarks');
