import { stopUp } from '../../local/stop-up.ts';
import { parseArguments, textOf } from '../arguments.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';

const usage = '[-c FILE]';

export const downCommand: Command = {
  summary: 'stops the cluster that `up` runs; the data stays',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: { cluster: { type: 'string', short: 'c' } },
      positionals: 1,
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `down ${usage}`);
    const outcome = await stopUp(parsed.positionals[0] ?? textOf(parsed.values['cluster']));
    (outcome.status === 0 ? say : complain)(outcome.message);
    return outcome.status;
  },
};
