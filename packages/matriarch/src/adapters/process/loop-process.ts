/**
 * The loop as a child of the guard, with a channel between them.
 *
 * What happens when the guard dies, and why so:
 *
 * 1. The kernel sends PostgreSQL SIGQUIT and the loop SIGKILL, at the same instant. PostgreSQL ends
 *    itself and its backends within some 30 ms; it needs nobody for that.
 * 2. The loop is killed rather than left to fence and end by itself, because a loop that hangs, or
 *    is stopped, would outlive its guard. When it came to, a new guard could have started a new
 *    loop and a new server: the old one would still hold a lease, carry on with a clone in the
 *    same directory, or fence the new server. Killed, its jobs die with it in the same way.
 * 3. A loop that was being started at that moment may have missed the signal. It finds its channel
 *    closed and ends by itself; so does one whose channel breaks for any other reason, after it
 *    has fenced PostgreSQL (`GuardEvents.onLost`).
 * 4. What is left is a guard that dies while PostgreSQL's postmaster is stopped, and so does not
 *    act on the SIGQUIT. The next guard's loop fences before it does anything else, and whoever
 *    supervises the guard (systemd, `up`, a container's end) starts that one, or kills all of it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { INCARNATION_VARIABLE, RUN_VARIABLE } from '../../agent/ports/guard.ts';
import type { LoopProcess, LoopProcesses, LoopStart } from '../../agent/ports/guard-host.ts';
import type { Priority } from './priority.ts';
import { buildPrefix } from './run-as.ts';

export interface LoopCommand {
  /** Program and arguments; it must be a Node program, for the channel's sake. */
  readonly argv: readonly [string, ...string[]];
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  /** The guard's run, see `Life`. */
  readonly run: string;
  readonly priority: Priority;
}

/** Time to end after the channel was closed. */
const DISCONNECTED_LIMIT_MS = 1_000;

type Order = Parameters<LoopProcesses['start']>[0];

const startLoop = (command: LoopCommand, order: Order): LoopStart => {
  const prefix = buildPrefix({ user: undefined, deathSignal: 'KILL' });
  if (prefix.kind === 'impossible') return { kind: 'refused', cause: prefix.cause };
  const { argv, environment, run, priority } = command;
  const [file, ...options] = prefix.argv;
  const child = spawn(file, [...options, ...argv], {
    env: {
      ...environment,
      [INCARNATION_VARIABLE]: String(order.incarnation),
      [RUN_VARIABLE]: run,
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Ctrl-C in a terminal is for the guard; the loop hears of it by message.
    detached: true,
  });
  child.on('error', () => undefined);
  if (child.pid === undefined) return { kind: 'refused', cause: `cannot execute ${file}` };
  priority.restore(child.pid);
  return { kind: 'started', loop: attach(child, child.pid, order) };
};

const attach = (child: ChildProcess, pid: number, order: Order): LoopProcess => {
  let timer: NodeJS.Timeout | undefined;
  child.on('message', order.onMessage);
  child.on('exit', (status) => {
    clearTimeout(timer);
    order.onExit(status);
  });
  // A loop that ends closes its channel a moment before. One that does not end, but cannot be
  // talked to, is of no use: the next one can.
  child.on('disconnect', () => {
    timer = setTimeout(() => child.kill('SIGKILL'), DISCONNECTED_LIMIT_MS);
  });
  return {
    pid,
    send: (message) => {
      // An error here means that the loop is gone, which its exit tells.
      if (child.connected) child.send(message, () => undefined);
    },
    kill: () => {
      child.kill('SIGKILL');
    },
  };
};

/** What `spawn` throws (no memory, no process left) is no fault of ours either. */
export const createLoopProcesses = (command: LoopCommand): LoopProcesses => ({
  start: (order) => {
    try {
      return startLoop(command, order);
    } catch (error) {
      return { kind: 'refused', cause: error instanceof Error ? error.message : String(error) };
    }
  },
});
