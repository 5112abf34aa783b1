/** What the agents of a cluster use while nothing happens. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDescendants } from '../../local/process-tree.ts';
import type { RunningUp } from '../../local/running-up.ts';

export const IDLE_MS = 20_000;
/** Ticks of the kernel's clock in which processor time is counted. */
const TICKS_PER_SECOND = 100;

interface Usage {
  readonly rssBytes: number;
  readonly cpuTicks: number;
}

/** Guard and loop of a member together; PostgreSQL is not counted. */
const usageOf = (agentPid: number): Usage => {
  const all = withDescendants([agentPid]).map(readUsage);
  return {
    rssBytes: all.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
    cpuTicks: all.reduce((sum, { cpuTicks }) => sum + cpuTicks, 0),
  };
};

const NOTHING: Usage = { rssBytes: 0, cpuTicks: 0 };

const readUsage = (pid: number): Usage => {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
    if (!name.startsWith('node')) return NOTHING;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return {
      rssBytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1_024,
      cpuTicks: Number(fields[11]) + Number(fields[12]),
    };
  } catch {
    // A program that was asked something, and has answered.
    return NOTHING;
  }
};

export interface IdleFigures {
  readonly member: string;
  readonly rssMegabytes: number;
  readonly cpuPercent: number;
}

export const measureIdle = async (up: RunningUp): Promise<IdleFigures[]> => {
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
