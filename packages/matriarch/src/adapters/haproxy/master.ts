import type { PortOutcome } from '../../proxy/ports/outcome.ts';
import { askSocket } from './ask-socket.ts';

/** What HAProxy's master says of itself and its workers ("show proc"). */
export interface MasterState {
  /** Counts every reload that was begun, also those that failed. */
  readonly reloads: number;
  /** Failed ones since the last one that did not. */
  readonly failedReloads: number;
  /** Workers of earlier configurations, which keep the sessions they have. */
  readonly oldWorkers: readonly number[];
}

const MASTER_LINE = /^\d+\s+master\s+(\d+) \[failed: (\d+)\]/mu;

export const parseMasterState = (text: string): MasterState | undefined => {
  const master = MASTER_LINE.exec(text);
  if (master === null) return undefined;
  const old = /# old workers\n([^#]*)/u.exec(text)?.[1] ?? '';
  return {
    reloads: Number(master[1]),
    failedReloads: Number(master[2]),
    oldWorkers: [...old.matchAll(/^(\d+)\s+worker\b/gmu)].map(([, pid]) => Number(pid)),
  };
};

const askMaster = (path: string, text: string): Promise<PortOutcome<{ answer: string }>> =>
  askSocket({ path, text, endsInput: true });

export const readMaster = async (path: string): Promise<PortOutcome<{ state: MasterState }>> => {
  const asked = await askMaster(path, 'show proc');
  if (asked.kind === 'failed') return asked;
  const state = parseMasterState(asked.answer);
  return state === undefined
    ? { kind: 'failed', cause: `${path}: not understood: ${asked.answer.slice(0, 200)}` }
    : { kind: 'done', state };
};

/** A server of a backend, by the names HAProxy has for them. */
export interface ServerName {
  readonly backend: string;
  readonly server: string;
}

const sessionsAt = (text: string, { backend, server }: ServerName): readonly string[] =>
  text
    .split('\n')
    .filter((line) => line.includes(` be=${backend} `) && line.includes(` srv=${server} `))
    .flatMap((line) => /^(0x[0-9a-f]+):/u.exec(line)?.[1] ?? []);

/** Commands in one line; HAProxy's buffer of 16 kB holds some 300 of these. */
const COMMANDS_MAX = 200;

const endSessionsOfWorker = async (
  path: string,
  worker: number,
  servers: readonly ServerName[],
): Promise<PortOutcome> => {
  const asked = await askMaster(path, `@!${worker} show sess`);
  if (asked.kind === 'failed') return asked;
  const ids = servers.flatMap((server) => sessionsAt(asked.answer, server));
  for (let start = 0; start < ids.length; start += COMMANDS_MAX) {
    const commands = ids
      .slice(start, start + COMMANDS_MAX)
      .map((id) => `@!${worker} shutdown session ${id}`);
    const done = await askMaster(path, commands.join(';'));
    if (done.kind === 'failed') return done;
  }
  return { kind: 'done' };
};

/**
 * Ends sessions that workers from before a reload still serve. The runtime socket belongs to the
 * new worker and does not reach them, and in an old worker "shutdown sessions server" is refused
 * ("Proxy is disabled"): each session is ended by itself.
 */
export const endOldSessions = async (
  path: string,
  servers: readonly ServerName[],
): Promise<PortOutcome> => {
  const master = await readMaster(path);
  if (master.kind === 'failed') return master;
  for (const worker of master.state.oldWorkers) {
    const ended = await endSessionsOfWorker(path, worker, servers);
    if (ended.kind === 'failed') return ended;
  }
  return { kind: 'done' };
};
