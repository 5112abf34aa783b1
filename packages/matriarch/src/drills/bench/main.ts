/**
 * `npm run bench:failover`: every fault ten times under load in each of two modes, and a frozen
 * primary that thaws, medians into docs/benchmarks. Not a test: nothing here is asserted.
 *
 * Arguments: the directory of the page, and how many rounds.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { awaitReady } from '../../local/await-ready.ts';
import { destroyState } from '../../local/destroy-state.ts';
import { stateDirectoryOf } from '../../local/directories.ts';
import { startUp } from '../../local/main.ts';
import type { RunningUp } from '../../local/running-up.ts';
import type { SwitchedMode } from '../replication-mode.ts';
import { measureFaults } from './measure-faults.ts';
import { IDLE_MS, measureIdle } from './measure-idle.ts';
import { measureThaw } from './measure-thaw.ts';
import { type ModeFigures, writePage } from './write-page.ts';

const NAME = 'matriarch-bench';
const MODES: readonly SwitchedMode[] = ['quorum', 'asynchronous'];

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Why nothing was measured. */
class Refused extends Error {}

/** A new cluster for each mode: it is gone afterwards, whatever happened. */
const withCluster = async <T>(
  mode: SwitchedMode,
  measure: (up: RunningUp) => Promise<T>,
): Promise<T> => {
  const state = stateDirectoryOf(NAME, process.cwd());
  const gone = await destroyState(state);
  if (gone !== undefined) throw new Refused(gone);
  mkdirSync(state, { recursive: true, mode: 0o755 });
  const file = join(state, 'cluster.yaml');
  writeFileSync(file, `cluster: ${NAME}\nmembers: 3\nreplication: {mode: ${mode}}\n`);
  const started = await startUp({ file, print: say, printError: say });
  if (started.kind === 'refused') throw new Refused(started.messages.join('\n'));
  const { up } = started;
  try {
    if (!(await awaitReady(up, say))) throw new Refused('the cluster does not become ready');
    return await measure(up);
  } finally {
    await up.stop();
    await destroyState(state);
  }
};

const run = async (directory: string, rounds: number): Promise<void> => {
  const modes: ModeFigures[] = [];
  for (const mode of MODES) {
    say(`${mode} replication`);
    modes.push({
      mode,
      runs: await withCluster(mode, (up) => measureFaults(up, { rounds, say })),
    });
  }
  const figures = await withCluster('asynchronous', async (up) => {
    await sleep(IDLE_MS);
    const idle = await measureIdle(up);
    const thaws = await measureThaw(up, { rounds, say });
    return { ttlMs: up.config.timing.ttlMs, modes, idle, thaws };
  });
  say(writePage(directory, figures));
};

try {
  await run(process.argv[2] ?? 'docs/benchmarks', Number(process.argv[3] ?? 10));
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  say(error.message);
  process.exitCode = 1;
}
