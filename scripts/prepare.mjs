/**
 * Makes the machine ready for a run: `node scripts/prepare.mjs --for demo|test|bench [--yes]`.
 * Installs what is missing of npm packages and, with apt-get, of the servers. Asks first, unless
 * `--yes` or CI=true is given or nobody sits at a terminal. Exit status: 0 ready, 1 not, 2 usage.
 */
import { createInterface } from 'node:readline/promises';
import { observeMachine } from './prepare/look.mjs';
import { parseArguments, planPreparation } from './prepare/plan.mjs';
import { ROOT, runChild } from './run-child.mjs';

/** @typedef {import('./prepare/plan.mjs').Step} Step */

/** For downloads over a slow line; a line that is dead is noticed here at the latest. */
const STEP_LIMIT_MS = 20 * 60 * 1000;
const DECLINING = /^no?$/iu;

/** @param {readonly Step[]} steps @returns {Promise<boolean>} */
const askWhether = async (steps) => {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const abort = new AbortController();
  terminal.on('SIGINT', () => {
    abort.abort();
  });
  terminal.on('close', () => {
    abort.abort();
  });
  try {
    const what = steps.length === 1 ? 'this command' : 'these commands';
    return !DECLINING.test(
      (await terminal.question(`Run ${what} now? [Y/n] `, { signal: abort.signal })).trim(),
    );
  } catch {
    console.log('');
    return false;
  } finally {
    terminal.close();
  }
};

/**
 * npm calls its scripts with its own path, which holds where `npm` is not in the PATH.
 *
 * @param {Step} step
 * @returns {readonly [string, ...string[]]}
 */
const commandOf = ({ command }) => {
  const npm = process.env['npm_execpath'];
  const [program, ...args] = command;
  return program === 'npm' && npm?.endsWith('.js') === true
    ? [process.execPath, npm, ...args]
    : command;
};

/** @param {readonly string[]} args @returns {Promise<number>} The exit status. */
const prepare = async (args) => {
  const request = parseArguments(args);
  if (request.kind === 'mistakes') {
    console.error(request.mistakes.join('\n'));
    return 2;
  }
  const plan = planPreparation(observeMachine({ root: ROOT, ...request }));
  if (plan.kind === 'refused') {
    console.error(plan.message);
    return 1;
  }
  if (plan.needs.length > 0) console.log(`Missing on this machine: ${plan.needs.join(', ')}.`);
  for (const { title, command } of plan.steps)
    console.log(`To install (${title}):\n  ${command.join(' ')}`);
  if (plan.ask && !(await askWhether(plan.steps))) {
    console.error('Nothing was installed. Run the commands above by hand, then repeat.');
    return 1;
  }
  for (const step of plan.steps) {
    // An installation is never cut in half: a signal counts once the running step has ended.
    const { status, interrupted } = await runChild(commandOf(step), {
      forwardsSignals: false,
      limitMs: STEP_LIMIT_MS,
    });
    if (status !== 0 || interrupted) {
      console.error(`${interrupted ? 'Interrupted' : 'Failed'}: ${step.command.join(' ')}`);
      return 1;
    }
  }
  return 0;
};

process.exitCode = await prepare(process.argv.slice(2));
