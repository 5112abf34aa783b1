import { formatLsn } from '@matriarch/core';
import { parseArguments, textOf } from '../arguments.ts';
import { describeWrongFormat, formatRows, isFormat } from '../output/formats.ts';
import { refuseUsage, say } from '../output/say.ts';
import { type Column, formatTable } from '../output/table.ts';
import type { Command } from '../verbs.ts';
import { withCluster } from '../with-cluster.ts';

const usage = '[-c FILE] [--format pretty|tsv|json|yaml]';

const columns: readonly Column[] = [
  { header: 'TL', align: 'right' },
  { header: 'LSN', align: 'right' },
  { header: 'Reason', align: 'left' },
  { header: 'Timestamp', align: 'left' },
  { header: 'New Leader', align: 'left' },
];

export const historyCommand: Command = {
  summary: 'shows every timeline, where it was left, and who was promoted',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: {
        cluster: { type: 'string', short: 'c' },
        format: { type: 'string', short: 'f', default: 'pretty' },
      },
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `history ${usage}`);
    const { cluster, format } = parsed.values;
    if (!isFormat(format)) return refuseUsage(describeWrongFormat(format), `history ${usage}`);
    return withCluster(textOf(cluster), async ({ snapshot }) => {
      const rows = (snapshot.history?.value ?? []).map((entry) => ({
        TL: entry.timeline,
        LSN: formatLsn(entry.switchLsn),
        Reason: entry.reason,
        Timestamp: entry.at ?? '',
        'New Leader': entry.leader ?? '',
      }));
      if (format === 'pretty')
        say(
          formatTable({
            title: '',
            columns,
            rows: rows.map((row) => Object.values(row).map(String)),
          }),
        );
      else {
        const keys = columns.map(({ header }) => header);
        say(formatRows(format, keys, rows));
      }
      return 0;
    });
  },
};
