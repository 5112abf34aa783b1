import { awaitReady } from '../../local/await-ready.ts';
import { describeUp, startUp } from '../../local/main.ts';
import { DEFAULT_FILE } from '../../local/open-cluster.ts';
import { parseArguments, textOf } from '../arguments.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';

const usage = '[cluster.yaml]';

export const upCommand: Command = {
  summary: 'runs a whole cluster on this machine until Ctrl-C',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: { cluster: { type: 'string', short: 'c' } },
      positionals: 1,
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `up ${usage}`);
    const file = parsed.positionals[0] ?? textOf(parsed.values['cluster']) ?? DEFAULT_FILE;
    const stopped = waitForSignal();
    const started = await startUp({ file, print: say, printError: complain });
    if (started.kind === 'refused') {
      for (const message of started.messages) complain(message);
      return started.status;
    }
    const { up } = started;
    say(`cluster ${up.config.cluster} starts (files and logs: ${up.paths.state})`);
    const ready = await Promise.race([awaitReady(up, say), stopped.then(() => undefined)]);
    if (ready === false) complain(`not ready yet; the logs are in ${up.paths.logs}`);
    if (ready !== undefined) say(await describeUp(up));
    if (ready !== undefined) say('Ctrl-C stops it; the data stays.');
    await stopped;
    say('stopping …');
    await up.stop();
    say('stopped');
    return 0;
  },
};

/** The first SIGINT or SIGTERM; later ones change nothing, the stop is under way. */
const waitForSignal = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve());
  });
