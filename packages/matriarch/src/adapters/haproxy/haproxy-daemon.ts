import { setTimeout as pause } from 'node:timers/promises';
import type { ListenAddress } from '@matriarch/core';
import type { RunCommand } from '../../agent/ports/run-command.ts';
import type { DaemonSpec, FileVerdict } from '../../proxy/ports/daemon.ts';
import type { PortOutcome } from '../../proxy/ports/outcome.ts';
import { askSocket } from './ask-socket.ts';
import type { HaproxySockets } from './haproxy-balancer.ts';
import { type MasterState, readMaster } from './master.ts';

/**
 * HAProxy in the foreground as master and worker (`-W -db`). The master reloads without closing the
 * ports: the new worker takes them over, the old one keeps its sessions until they end. When the
 * worker dies the master ends as well, so that there is one process to watch.
 */
export const haproxyDaemon = (options: {
  readonly program: string;
  readonly configFile: string;
  readonly pidFile: string;
  readonly logFile: string;
  readonly sockets: HaproxySockets;
  readonly listens: () => readonly ListenAddress[];
}): DaemonSpec => {
  const { configFile, pidFile, sockets } = options;
  return {
    name: 'haproxy',
    program: options.program,
    args: ['-W', '-db', '-f', configFile, '-p', pidFile, '-S', `${sockets.master},mode,600`],
    pidFile,
    logFile: options.logFile,
    marker: configFile,
    listens: options.listens,
    isReady: async () => {
      const text = 'show version';
      const asked = await askSocket({ path: sockets.runtime, text, endsInput: false });
      return asked.kind === 'done' && (await readMaster(sockets.master)).kind === 'done';
    },
  };
};

const CHECK_LIMIT_MS = 30_000;
/** HAProxy resolves host names while it checks; a dead name server makes it wait. */
const RELOAD_LIMIT_MS = 30_000;
const RELOAD_LOOK_MS = 20;

/** The lines that say what is wrong, without those that say how HAProxy was built. */
const complaintOf = (output: string): string => {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const alerts = lines.filter((line) => line.startsWith('[ALERT]'));
  return (alerts.length > 0 ? alerts : lines).join('\n');
};

/** `haproxy -c`: reads the file as for a start, binds nothing. */
export const checkHaproxyConfig = async (check: {
  readonly program: string;
  readonly file: string;
  readonly run: RunCommand;
}): Promise<FileVerdict> => {
  const result = await check.run({
    command: check.program,
    args: ['-c', '-f', check.file],
    env: { LC_ALL: 'C' },
    limitMs: CHECK_LIMIT_MS,
  });
  switch (result.kind) {
    case 'exited':
      return result.code === 0
        ? { kind: 'accepted' }
        : { kind: 'refused', complaint: complaintOf(result.stderr + result.stdout) };
    case 'timed-out':
      return { kind: 'refused', complaint: `no verdict in ${CHECK_LIMIT_MS} ms` };
    case 'killed':
      return { kind: 'refused', complaint: `ended by ${result.signal}` };
    case 'not-found':
      return { kind: 'refused', complaint: `${result.command} cannot be run` };
  }
};

const hasReloaded = (before: MasterState, now: MasterState): boolean =>
  now.reloads > before.reloads;

/**
 * Makes the master read its file again. The ports stay open and no session is ended. When the new
 * worker cannot start, the old one goes on serving, and the answer is `failed`.
 */
export const reloadHaproxy = async (
  masterPid: number,
  sockets: HaproxySockets,
): Promise<PortOutcome> => {
  const before = await readMaster(sockets.master);
  if (before.kind === 'failed') return before;
  try {
    process.kill(masterPid, 'SIGUSR2');
  } catch (error) {
    return { kind: 'failed', cause: `the master, pid ${masterPid}: ${String(error)}` };
  }
  const deadline = performance.now() + RELOAD_LIMIT_MS;
  while (performance.now() < deadline) {
    await pause(RELOAD_LOOK_MS);
    // While it starts itself anew the master does not answer.
    const now = await readMaster(sockets.master);
    if (now.kind === 'failed' || !hasReloaded(before.state, now.state)) continue;
    return now.state.failedReloads === 0
      ? { kind: 'done' }
      : { kind: 'failed', cause: 'the new worker did not start; the old one goes on' };
  }
  return { kind: 'failed', cause: `not reloaded within ${RELOAD_LIMIT_MS} ms` };
};
