/**
 * The body of `matriarch agent`: the guard with its real host. Runs until the guard has ended and
 * answers its exit status; the caller ends the process with it.
 */
import { readBootClock } from '../../adapters/process/boot-clock.ts';
import { createRun } from '../../adapters/process/life.ts';
import { createLoopProcesses } from '../../adapters/process/loop-process.ts';
import { raisePriority } from '../../adapters/process/priority.ts';
import { createServerProcesses } from '../../adapters/process/server-processes.ts';
import { createGuardLog } from './guard-log.ts';
import { type RunningGuard, startGuard } from './run-guard.ts';

export interface AgentOptions {
  /** The loop: a Node program and its arguments. */
  readonly loopCommand: readonly [string, ...string[]];
  /** Named in every line of the guard's log. */
  readonly member?: string | undefined;
}

const FLUSH_LIMIT_MS = 500;

export const runGuard = async ({ loopCommand, member }: AgentOptions): Promise<number> => {
  const log = createGuardLog({ member, part: 'guard' });
  const priority = raisePriority();
  const servers = createServerProcesses(priority);
  const loops = createLoopProcesses({
    argv: loopCommand,
    environment: process.env,
    run: createRun(),
    priority,
  });
  const guard = startGuard({ host: { readClock: readBootClock, servers, loops }, log });
  // A guard that is not sure of itself must not hold a server: its last deed is to silence it.
  const strike = (): void => {
    const { process: server, dataDirectory } = guard.state();
    const pid = server.kind === 'running' ? server.pid : undefined;
    if (dataDirectory !== undefined) servers.strike({ dataDirectory, pid });
  };
  process.once('uncaughtExceptionMonitor', strike);
  const release = listenToSignals(guard);
  const status = await guard.ended;
  release();
  process.off('uncaughtExceptionMonitor', strike);
  // Whoever holds our output and does not read it would hold us for ever.
  if (!(await log.flush(FLUSH_LIMIT_MS))) process.kill(process.pid, 'SIGKILL');
  return status;
};

const listenToSignals = (guard: RunningGuard): (() => void) => {
  const terminate = (): void => guard.tell({ kind: 'signal', signal: 'SIGTERM' });
  const reload = (): void => guard.tell({ kind: 'signal', signal: 'SIGHUP' });
  process.on('SIGTERM', terminate).on('SIGINT', terminate).on('SIGHUP', reload);
  return () => {
    process.off('SIGTERM', terminate).off('SIGINT', terminate).off('SIGHUP', reload);
  };
};
