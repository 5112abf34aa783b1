/** Plays drills on whatever cluster they are for, and tells what came of it. */
import { explain } from '@matriarch/core';
import type { DrillCluster } from '../drills/drill-cluster.ts';
import type { DrillMode } from '../drills/report.ts';
import { runDrills } from '../drills/run-drills.ts';
import { awaitReady } from '../local/await-ready.ts';
import type { WantedDrills } from './drill-arguments.ts';
import { writeReport } from './drill-report.ts';
import { hearCluster } from './hear-cluster.ts';
import { complain, say } from './output/say.ts';

export interface Playground {
  readonly cluster: DrillCluster;
  /** Where the proxy keeps its journal; undefined: nobody knows. */
  readonly proxyJournal: string | undefined;
  readonly isStopping: () => boolean;
}

export interface PlayedDrills extends Omit<WantedDrills, 'mode'> {
  /** The one the cluster is in. */
  readonly mode: DrillMode;
}

/** Answers the exit status. */
export const playDrills = async (
  { cluster, proxyJournal, isStopping }: Playground,
  wanted: PlayedDrills,
): Promise<number> => {
  const { config, snapshot } = cluster;
  const noTrouble = (): undefined => undefined;
  const awaited = { config, snapshot, storeTrouble: noTrouble, isStopping };
  if (!(await awaitReady(awaited, noTrouble))) {
    if (isStopping()) return 1;
    complain(`cluster ${config.cluster} is not whole; \`matriarch list\` shows what is missing`);
    return 1;
  }
  const { report, problems } = await runDrills(cluster, {
    ...wanted,
    say,
    keep: (now) => writeReport(wanted.report, now),
    explain: async () => {
      const heard = await hearCluster({ config, snapshot: await snapshot(), proxyJournal });
      return explain(heard.testimonies).incidents;
    },
    isStopping,
  });
  writeReport(wanted.report, report);
  if (wanted.report !== undefined) say(`the report is in ${wanted.report}`);
  for (const problem of problems) complain(problem);
  return problems.length === 0 ? 0 : 1;
};

export const listenForStop = (): (() => boolean) => {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (!stopping) say('stopping after this run: what is harmed is healed first …');
      stopping = true;
    });
  return () => stopping;
};
