/** docs/benchmarks/failover.md. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { median } from '../median.ts';
import type { SwitchedMode } from '../replication-mode.ts';
import type { DrillRun } from '../report.ts';
import { FAULTS } from './measure-faults.ts';
import { IDLE_MS, type IdleFigures } from './measure-idle.ts';
import type { Thaw } from './measure-thaw.ts';

export interface ModeFigures {
  readonly mode: SwitchedMode;
  readonly runs: readonly DrillRun[];
}

export interface Figures {
  readonly ttlMs: number;
  readonly idle: readonly IdleFigures[];
  readonly modes: readonly ModeFigures[];
  readonly thaws: readonly Thaw[];
}

const countLost = (runs: readonly DrillRun[]): number | string =>
  runs.some(({ lost }) => lost === null)
    ? 'not counted'
    : runs.reduce((sum, { lost }) => sum + (lost ?? 0), 0);

const rowOf = (fault: string, all: readonly DrillRun[]): string => {
  const runs = all.filter(({ scenario }) => scenario === fault);
  const outages = runs.map(({ writeOutageMs }) => writeOutageMs);
  const rejoined = runs.flatMap(({ rejoinedMs }) => (rejoinedMs === null ? [] : [rejoinedMs]));
  const cells = [
    fault,
    runs.length,
    runs.filter(({ oldPrimary, newPrimary }) => oldPrimary !== newPrimary).length,
    median(outages),
    Math.min(...outages),
    Math.max(...outages),
    median(runs.map(({ clientErrors }) => clientErrors)),
    median(rejoined),
    countLost(runs),
  ];
  return `| ${cells.join(' | ')} |`;
};

const sectionOf = ({ mode, runs }: ModeFigures): readonly string[] => [
  `## ${mode} replication`,
  '',
  '| fault | runs | primary moved | median | min | max | statements with an error (median) | ' +
    'all members stream again (median) | acknowledged writes lost |',
  '|---|---|---|---|---|---|---|---|---|',
  ...FAULTS.map((fault) => rowOf(fault, runs)),
  '',
];

const idleSection = (idle: readonly IdleFigures[]): readonly string[] => [
  '## An idle member',
  '',
  `Guard and loop together, over ${IDLE_MS / 1_000} s:`,
  '',
  '| member | memory (MB) | processor (% of a core) |',
  '|---|---|---|',
  ...idle.map((one) => `| ${one.member} | ${one.rssMegabytes} | ${one.cpuPercent} |`),
  '',
];

const thawSection = (thaws: readonly Thaw[]): readonly string[] => {
  const counts = thaws.map(({ lateMs }) => lateMs.length);
  const last = Math.max(0, ...thaws.flatMap(({ lateMs }) => lateMs));
  return [
    '## A primary that thaws',
    '',
    'Asynchronous replication, four applications connected to the primary itself that write as',
    'fast as they can. Every process of its host is frozen; when another member is the primary,',
    'they are let go, the guard last. What the thawed server acknowledged before it was fenced:',
    '',
    '| runs | writes (median) | writes (max) | the last one after (max) |',
    '|---|---|---|---|',
    `| ${thaws.length} | ${median(counts)} | ${Math.max(...counts)} | ${last.toFixed(1)} ms |`,
    '',
  ];
};

export const renderPage = ({ ttlMs, idle, modes, thaws }: Figures): string => {
  const memory = Math.round(totalmem() / 1_073_741_824);
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${memory} GB`;
  return [
    '# Failover',
    '',
    'Written by `npm run bench:failover`: three members, three etcd, HAProxy and PgBouncer on one',
    'machine, 4 writers and 2 readers at work all the time, half of them through PgBouncer. Times',
    'in milliseconds as the writers saw them: the longest time without an acknowledged write.',
    '',
    `Machine: ${machine}, Node ${process.version}; ttl ${ttlMs / 1_000} s.`,
    '',
    ...modes.flatMap(sectionOf),
    'A crash moves the primary when a standby had received all of its WAL; otherwise the same',
    'server starts again in place, and nothing is lost either way. In asynchronous mode a host',
    'that is lost takes with it what no replica had received.',
    '',
    ...thawSection(thaws),
    ...idleSection(idle),
  ].join('\n');
};

export const writePage = (directory: string, figures: Figures): string => {
  const text = renderPage(figures);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'failover.md'), text);
  return text;
};
