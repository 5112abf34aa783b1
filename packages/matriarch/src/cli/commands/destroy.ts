import { rmSync } from 'node:fs';
import { openCluster } from '../../local/open-cluster.ts';
import { stopUp } from '../../local/stop-up.ts';
import { parseArguments, textOf } from '../arguments.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';

const usage = '[-c FILE] --yes';

export const destroyCommand: Command = {
  summary: 'stops the cluster of this machine and deletes all of its data',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: { cluster: { type: 'string', short: 'c' }, yes: { type: 'boolean' } },
      positionals: 1,
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `destroy ${usage}`);
    const file = parsed.positionals[0] ?? textOf(parsed.values['cluster']);
    const opened = openCluster(file);
    if (opened.kind === 'wrong' || opened.paths === undefined) {
      complain(
        opened.kind === 'wrong' ? opened.message : 'only a cluster of `up` can be destroyed',
      );
      return 2;
    }
    const { state, sockets } = opened.paths;
    if (parsed.values['yes'] !== true) {
      complain(`this deletes all data of cluster ${opened.config.cluster} in ${state}; add --yes`);
      return 2;
    }
    const outcome = await stopUp(file);
    if (outcome.status === 1) {
      complain(outcome.message);
      return 1;
    }
    rmSync(state, { recursive: true, force: true });
    rmSync(sockets, { recursive: true, force: true });
    say(`cluster ${opened.config.cluster} is gone`);
    return 0;
  },
};
