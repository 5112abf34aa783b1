/**
 * A private cluster lives in namespaces of its own: network, mounts, processes and shared memory.
 * Nobody can go into them and come back, so the program is started once more inside, and there it
 * is "the clients' host". All of it ends with the one outside, whatever becomes of that:
 *
 * 1. The one outside ends, or is killed: the kernel kills `unshare` (parent-death signal).
 * 2. With it the kernel kills the first process inside (`--kill-child`).
 * 3. With the first process of a process namespace it kills all others, and with the last one
 *    wires, mounts, files in memory and shared memory are gone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import type { Tools } from './tools.ts';

/** The namespaces of the one outside, told to the one inside. */
const OUTSIDE = 'MATRIARCH_OUTSIDE';
const KINDS = ['net', 'mnt', 'pid', 'ipc'];
const UNSHARE = [
  '--net',
  '--mount',
  '--propagation=private',
  '--ipc',
  '--pid',
  '--fork',
  '--kill-child=SIGKILL',
  '--mount-proc',
];

/** The first process inside: it takes note of the end of orphans, which Node.js does not. */
const FIRST_PROCESS = '"$@"; exit "$?"';

const ownNamespaces = (): readonly string[] =>
  KINDS.map((kind) => readlinkSync(`/proc/self/ns/${kind}`));

/** Never true on a network that others use. */
export const isOnPrivateHost = (): boolean => {
  const outside = process.env[OUTSIDE]?.split(' ') ?? [];
  return outside.length === KINDS.length && ownNamespaces().every((own, at) => own !== outside[at]);
};

const TRIAL_LIMIT_MS = 10_000;

/** What a private cluster asks of the kernel, tried and forgotten. */
const trialOf = ({ ip, mount }: Tools): string =>
  [
    `${mount} -t tmpfs tmpfs /dev/shm`,
    `${ip} link add trial type veth peer name trial1`,
    `${ip} rule add iif trial to 10.77.0.1/32 blackhole`,
  ].join(' && ');

/** Undefined when the kernel gives what is needed. */
export const findRefusal = (tools: Tools): string | undefined => {
  const trial = ['sh', '-c', trialOf(tools)];
  const { status, error, stderr } = spawnSync(tools.unshare, [...UNSHARE, '--', ...trial], {
    encoding: 'utf8',
    timeout: TRIAL_LIMIT_MS,
  });
  if (status === 0) return undefined;
  return (
    'a private cluster needs namespaces (network, mount, process, IPC), veth pairs, rules for ' +
    `routes, and tmpfs, and this kernel refuses: ${error?.message ?? stderr.trim()}; ` +
    'in a container, start that with --privileged'
  );
};

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs Node.js with these arguments on a private host of its own, with our standard input and
 * outputs; answers its exit status. What it is signalled it hears of, and ends in its own time.
 */
export const runOnPrivateHost = (tools: Tools, args: readonly string[]): Promise<number> => {
  const { setpriv, unshare } = tools;
  const inside = ['sh', '-c', FIRST_PROCESS, 'matriarch', process.execPath, ...args];
  const child = spawn(setpriv, ['--pdeathsig=KILL', '--', unshare, ...UNSHARE, '--', ...inside], {
    // A session of its own: Ctrl-C in the terminal reaches us, and we pass it on, once.
    detached: true,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [OUTSIDE]: ownNamespaces().join(' ') },
  });
  const passOn = (signal: NodeJS.Signals): void => {
    if (child.connected) child.send({ signal });
  };
  for (const signal of SIGNALS) process.on(signal, passOn);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => {
      for (const signal of SIGNALS) process.off(signal, passOn);
      resolve(status ?? 1);
    });
  });
};

/** Hears what the one outside is signalled, and does not outlive it. */
export const followOutside = (): void => {
  const end = (): void => {
    process.kill(process.pid, 'SIGKILL');
  };
  if (!process.connected) end();
  process.once('disconnect', end);
  process.on('message', (message: { readonly signal?: NodeJS.Signals }) => {
    if (message.signal !== undefined) process.kill(process.pid, message.signal);
  });
  process.channel?.unref();
};
