import { type Explanation, explain } from '@matriarch/core';
import { clusterPrefix } from '@matriarch/protocol';
import type { Collected } from '../../explain/collect-testimonies.ts';
import { type OpenCluster, openCluster } from '../../local/open-cluster.ts';
import { fetchSecrets } from '../../local/secrets.ts';
import { openClusterStore } from '../../store-access/main.ts';
import { type ArgumentValues, parseArguments, textOf } from '../arguments.ts';
import { assembleExplainJson } from '../output/explain-json.ts';
import { formatExplanation } from '../output/explain-text.ts';
import { wantsColours } from '../output/paint.ts';
import { hearCluster } from '../hear-cluster.ts';
import { parseSince } from '../parse-since.ts';
import { proxyJournalFile, proxyPlace } from '../proxy-place.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';

const usage = '[-c FILE] [--last N] [--since TIME|DURATION] [--format pretty|json]';

interface Wanted {
  readonly last: number;
  readonly sinceMs: number | undefined;
  readonly format: 'pretty' | 'json';
}

export const explainCommand: Command = {
  summary: 'tells what happened in a failover or switchover, why, and what was lost',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: {
        cluster: { type: 'string', short: 'c' },
        last: { type: 'string' },
        since: { type: 'string' },
        format: { type: 'string', short: 'f', default: 'pretty' },
      },
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `explain ${usage}`);
    const wanted = readWanted(parsed.values);
    if (typeof wanted === 'string') return refuseUsage(wanted, `explain ${usage}`);
    const opened = openCluster(textOf(parsed.values['cluster']));
    if (opened.kind === 'wrong') {
      complain(opened.message);
      return 2;
    }
    return tell(opened, wanted);
  },
};

/** What is asked for, or what is wrong with it. */
const readWanted = (values: ArgumentValues): Wanted | string => {
  const { last, since, format } = values;
  if (format !== 'pretty' && format !== 'json')
    return `--format is pretty or json, not "${String(format)}"`;
  if (last !== undefined && !/^[1-9]\d{0,3}$/.test(String(last)))
    return `--last is a number of incidents, not "${String(last)}"`;
  const sinceMs = since === undefined ? undefined : parseSince(String(since), Date.now());
  if (since !== undefined && sinceMs === undefined)
    return `--since is a time as 2026-01-31T12:00:00Z, or 90s, 30m, 2h, 7d; not "${String(since)}"`;
  const all = sinceMs === undefined ? 1 : Infinity;
  return { last: last === undefined ? all : Number(last), sinceMs, format };
};

const tell = async (opened: OpenCluster, { last, sinceMs, format }: Wanted): Promise<number> => {
  const collected = await collect(opened);
  if (collected.kind === 'wrong') {
    complain(collected.message);
    return 2;
  }
  const explanation = explain(collected.testimonies);
  const since = explanation.incidents.filter(
    ({ endedAtMs }) => sinceMs === undefined || endedAtMs >= sinceMs,
  );
  const incidents = last === Infinity ? since : since.slice(-last);
  const shown: Explanation = { ...explanation, incidents };
  const about = { cluster: opened.config.cluster, sources: collected.sources };
  const earlier = explanation.incidents.length - incidents.length;
  if (format === 'json') say(JSON.stringify(assembleExplainJson(shown, about)));
  else say(formatExplanation(shown, { ...about, earlier, colours: wantsColours() }));
  return collected.sources.some(({ from }) => from !== 'nowhere') ? 0 : 1;
};

type Gathered =
  | ({ readonly kind: 'gathered' } & Collected)
  | { readonly kind: 'wrong'; readonly message: string };

/** A store that does not answer is no reason to say nothing: members are asked all the same. */
const collect = async ({ config, paths }: OpenCluster): Promise<Gathered> => {
  const fetched = fetchSecrets(config);
  const secrets = fetched.kind === 'fetched' ? fetched.values : new Map<string, string>();
  const store = openClusterStore(config, secrets);
  if ('kind' in store) return { kind: 'wrong', message: store.message };
  try {
    const read = await store.read(clusterPrefix(config.namespace, config.cluster));
    const snapshot = read.kind === 'done' ? read.snapshot : undefined;
    if (read.kind !== 'done')
      complain(`the store does not answer (${read.cause}): only members that do are heard`);
    const proxyJournal = proxyJournalFile(proxyPlace(config, paths));
    return { kind: 'gathered', ...(await hearCluster({ config, snapshot, proxyJournal })) };
  } finally {
    await store.close();
  }
};
