/**
 * Clears up after a test, whatever becomes of it: killed hard, out of memory, interrupted. It waits
 * until its standard input ends, which happens with the death of the process that holds the other
 * end, and then ends every process that works in, or was started with, one of the directories it
 * was told of, and removes them.
 *
 * Lines it understands: `directory PATH`, `segment ID` (System V shared memory).
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const SWEEP_LIMIT_MS = 30_000;
const LOOK_INTERVAL_MS = 20;
/** So often in a row nothing must be found: somebody may be between fork and exec. */
const QUIET_LOOKS = 3;

/** @type {Set<string>} */
const directories = new Set();
/** @type {Set<string>} */
const segments = new Set();

/** @param {() => string} look */
const read = (look) => {
  try {
    return look();
  } catch {
    return '';
  }
};

/**
 * Whoever has a terminal is a person who looks at the files.
 * @param {string} pid
 */
const hasTerminal = (pid) => {
  const stat = read(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4] !== '0';
};

/** @param {string} pid */
const belongs = (pid) => {
  if (Number(pid) === process.pid || hasTerminal(pid)) return false;
  const cwd = `${read(() => readlinkSync(`/proc/${pid}/cwd`))}/`;
  const words = read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  return [...directories].some((path) => cwd.startsWith(path) || words.includes(`${path}/`));
};

/** @param {string} pid */
const noteSegments = (pid) => {
  const maps = read(() => readFileSync(`/proc/${pid}/maps`, 'utf8'));
  for (const [, id] of maps.matchAll(/ (\d+) +\/SYSV[0-9a-f]+/gu))
    if (id !== undefined) segments.add(id);
};

const sweep = async () => {
  const end = performance.now() + SWEEP_LIMIT_MS;
  for (let quiet = 0; quiet < QUIET_LOOKS && performance.now() < end; ) {
    const found = readdirSync('/proc').filter((name) => /^\d+$/u.test(name) && belongs(name));
    for (const pid of found) {
      noteSegments(pid);
      read(() => String(process.kill(Number(pid), 'SIGKILL')));
    }
    quiet = found.length === 0 ? quiet + 1 : 0;
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_INTERVAL_MS);
    });
  }
  for (const id of segments) spawnSync('ipcrm', ['-m', id], { stdio: 'ignore' });
  for (const path of directories) {
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  }
};

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => undefined);
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [word, value = ''] = line.split(/ (.*)/su);
  if (word === 'directory') directories.add(value);
  if (word === 'segment') segments.add(value);
});
lines.on('close', () => {
  sweep().then(
    () => process.exit(0),
    (/** @type {unknown} */ error) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
