import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
const SIGNALLED = 128;

/**
 * Runs a command in the root, its input and output being ours, and answers its exit status. We
 * outlive it also when we are told to end: the command gets the signal and decides how to end.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {object} [options]
 * @param {boolean} [options.forwardsSignals] False: it is left to end by itself.
 * @param {number} [options.limitMs] After this it is told to end. None: it has limits of its own.
 * @returns {Promise<{ readonly status: number, readonly interrupted: boolean }>}
 */
export const runChild = (command, { forwardsSignals = true, limitMs } = {}) =>
  new Promise((resolve) => {
    const [program, ...args] = command;
    let interrupted = false;
    const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit' });
    /** @param {NodeJS.Signals} signal */
    const onSignal = (signal) => {
      interrupted = true;
      // Ctrl-C reaches everybody at the terminal: a second signal would mean "at once" to some.
      const wasSentToBoth = signal === 'SIGINT' && process.stdin.isTTY;
      if (forwardsSignals && !wasSentToBoth) child.kill(signal);
    };
    const limit =
      limitMs === undefined
        ? undefined
        : setTimeout(() => {
            console.error(`${command.join(' ')} did not end within ${limitMs / 60_000} minutes.`);
            child.kill('SIGTERM');
          }, limitMs);
    /** @param {number} status */
    const finish = (status) => {
      clearTimeout(limit);
      for (const signal of SIGNALS) process.off(signal, onSignal);
      resolve({ status, interrupted });
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
    child.once('error', (error) => {
      console.error(`${command.join(' ')} could not be started: ${error.message}`);
      finish(1);
    });
    child.once('exit', (code) => {
      finish(code ?? SIGNALLED);
    });
  });

/**
 * Runs one of our scripts, or a program of `node_modules`, with the Node we run on.
 *
 * @param {string} path From the root.
 * @param {...string} args
 * @returns {Promise<{ readonly status: number, readonly interrupted: boolean }>}
 */
export const runNode = (path, ...args) =>
  runChild([process.execPath, fileURLToPath(new URL(`../${path}`, import.meta.url)), ...args]);
