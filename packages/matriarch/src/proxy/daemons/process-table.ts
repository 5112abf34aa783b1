import { readFile } from 'node:fs/promises';

/** A running process, told apart from a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks since boot, field 22 of /proc/<pid>/stat. */
  readonly startedAt: string;
}

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch {
    // Gone, or another user's: in either case it is no process of ours.
    return undefined;
  }
};

/** Undefined for a process that has ended, also while nobody has taken note of its end (zombie). */
export const identifyProcess = async (pid: number): Promise<ProcessIdentity | undefined> => {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in parentheses may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = 'X'] = fields;
  const startedAt = fields[19];
  return 'ZX'.includes(state) || startedAt === undefined ? undefined : { pid, startedAt };
};

export const isSameProcess = async (known: ProcessIdentity): Promise<boolean> =>
  (await identifyProcess(known.pid))?.startedAt === known.startedAt;

/** The words of its command line; none when it has ended. */
export const commandLineOf = async (pid: number): Promise<readonly string[]> =>
  ((await readIfThere(`/proc/${pid}/cmdline`)) ?? '').split('\0').filter((word) => word !== '');

/** The process whose number stands in a pid file, if it is one of ours by a word of its own. */
export const findByPidFile = async (
  pidFile: string,
  marker: string,
): Promise<ProcessIdentity | undefined> => {
  const pid = Number.parseInt((await readIfThere(pidFile)) ?? '', 10);
  if (!Number.isInteger(pid) || pid < 2) return undefined;
  if (!(await commandLineOf(pid)).includes(marker)) return undefined;
  return identifyProcess(pid);
};

/** Answers whether there was a process to signal. */
export const signalProcess = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
};
