/** Processes as the kernel shows them. Tests run on Linux: there is nothing to guess. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

export interface ProcessFacts {
  readonly pid: number;
  readonly parentPid: number;
  /** One letter: `R`, `S`, `D`, `T` (stopped), `Z` (zombie). */
  readonly state: string;
  readonly commandLine: string;
  /** Where it works; empty when it cannot be told. A removed directory ends in ` (deleted)`. */
  readonly directory: string;
}

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const readLink = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

/** Undefined when there is no such process, or only its exit status is left. */
export const observeProcess = (pid: number): ProcessFacts | undefined => {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === '') return undefined;
  // The name in parentheses may hold anything; what follows its end does not.
  const [state = 'Z', parentPid = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  return {
    pid,
    parentPid: Number(parentPid),
    state,
    commandLine: readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim(),
    directory: readLink(`/proc/${pid}/cwd`),
  };
};

export const listProcesses = (): readonly ProcessFacts[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map((name) => observeProcess(Number(name)))
    .filter((facts) => facts !== undefined);

/** The processes of `seeds` and all their descendants. */
export const withDescendants = (
  all: readonly ProcessFacts[],
  isSeed: (facts: ProcessFacts) => boolean,
): readonly ProcessFacts[] => {
  const chosen = new Set(all.filter(isSeed).map(({ pid }) => pid));
  for (let size = -1; size !== chosen.size; ) {
    size = chosen.size;
    for (const { pid, parentPid } of all) if (chosen.has(parentPid)) chosen.add(pid);
  }
  return all.filter(({ pid }) => chosen.has(pid));
};

/** False when it is gone already. */
export const signal = (pid: number, name: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
};

/** System V segments a process has mapped: what PostgreSQL leaves behind when it is killed. */
export const sharedSegments = (pid: number): readonly string[] =>
  [...readText(`/proc/${pid}/maps`).matchAll(/ (\d+) +\/SYSV[0-9a-f]+/gu)].flatMap(
    ([, id]) => id ?? [],
  );
