import { formatYaml } from '@matriarch/protocol';
import { parseArguments, textOf } from '../arguments.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';
import { type ClusterAccess, withCluster } from '../with-cluster.ts';

const usage = '[-c FILE] [--format yaml|json]';

export const showConfigCommand: Command = {
  summary: 'shows the cluster-wide configuration',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: {
        cluster: { type: 'string', short: 'c' },
        format: { type: 'string', short: 'f', default: 'yaml' },
      },
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `show-config ${usage}`);
    const { cluster, format } = parsed.values;
    if (format !== 'yaml' && format !== 'json')
      return refuseUsage(
        `--format is yaml or json, not "${String(format)}"`,
        `show-config ${usage}`,
      );
    return withCluster(textOf(cluster), async (access) => {
      const config = access.snapshot.config?.value;
      if (config === undefined) return complainOfNone(access);
      say(format === 'json' ? JSON.stringify(config) : formatYaml(config).trimEnd());
      return 0;
    });
  },
};

export const complainOfNone = ({ config }: Pick<ClusterAccess, 'config'>): number => {
  complain(
    `cluster ${config.cluster} has no configuration yet: its first member brings it; ` +
      'is the cluster up?',
  );
  return 1;
};
