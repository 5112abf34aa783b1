import { parseArguments, textOf } from '../arguments.ts';
import { assembleMemberJson, formatMemberTable } from '../output/member-table.ts';
import { refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';
import { withCluster } from '../with-cluster.ts';

const usage = '[-c FILE] [--format pretty|json]';

export const listCommand: Command = {
  summary: 'shows the members, their roles and how far behind they are',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: {
        cluster: { type: 'string', short: 'c' },
        format: { type: 'string', short: 'f', default: 'pretty' },
      },
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `list ${usage}`);
    const { cluster, format } = parsed.values;
    if (format !== 'pretty' && format !== 'json')
      return refuseUsage(`--format is pretty or json, not "${String(format)}"`, `list ${usage}`);
    return withCluster(textOf(cluster), async ({ config, snapshot }) => {
      say(
        format === 'json'
          ? JSON.stringify(assembleMemberJson(config.cluster, snapshot))
          : formatMemberTable(config.cluster, snapshot),
      );
      return 0;
    });
  },
};
