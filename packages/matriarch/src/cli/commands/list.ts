import { parseArguments, textOf } from '../arguments.ts';
import { describeWrongFormat, formatRows, isFormat } from '../output/formats.ts';
import { assembleMemberJson, formatMemberTable, listMemberKeys } from '../output/member-table.ts';
import { refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';
import { withCluster } from '../with-cluster.ts';

const usage = '[-c FILE] [--format pretty|tsv|json|yaml]';

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
    if (!isFormat(format)) return refuseUsage(describeWrongFormat(format), `list ${usage}`);
    return withCluster(textOf(cluster), async ({ config, snapshot }) => {
      if (format === 'pretty') say(formatMemberTable(config.cluster, snapshot));
      else {
        const rows = assembleMemberJson(config.cluster, snapshot);
        say(formatRows(format, listMemberKeys(rows), rows));
      }
      return 0;
    });
  },
};
