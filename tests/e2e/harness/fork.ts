/** WAL that was kept because it is in no lineage any more (rule S7), read with PostgreSQL's tool. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Member } from './member.ts';

export interface Fork {
  readonly path: string;
  readonly timeline: number;
  readonly from: string;
  readonly to: string;
  /** Transactions that were committed behind the fork. */
  readonly commits: number;
}

const COMMAND_LIMIT_MS = 30_000;

/** All forks a member keeps; its server must run, for where it runs the tool is. */
export const readForks = (member: Member): readonly Fork[] => {
  const path = join(member.stateDirectory, 'forks');
  if (!existsSync(path)) return [];
  return readdirSync(path).map((name) => readFork(join(path, name), programsOf(member)));
};

const programsOf = (member: Member): string => {
  const postmaster = member.serverProcesses().find(({ pid }) => pid === member.postmasterPid);
  if (postmaster === undefined) throw new Error(`${member.name} runs no PostgreSQL`);
  return dirname(postmaster.commandLine.split(' ')[0] ?? '');
};

const readFork = (path: string, programs: string): Fork => {
  const text = readFileSync(join(path, 'fork.json'), 'utf8');
  const facts = JSON.parse(text) as Omit<Fork, 'path' | 'commits'>;
  const { timeline, from, to } = facts;
  const records = execFileSync(
    join(programs, 'pg_waldump'),
    ['--path', path, '--timeline', String(timeline), '--start', from, '--end', to],
    { encoding: 'utf8', timeout: COMMAND_LIMIT_MS, maxBuffer: 256 * 1024 * 1024 },
  );
  const commits = records.split('\n').filter((line) => / COMMIT /u.test(line)).length;
  return { ...facts, path, commits };
};
