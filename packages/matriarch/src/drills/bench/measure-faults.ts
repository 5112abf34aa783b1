/** Faults, one after the other and again, on one cluster under load. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningUp } from '../../local/running-up.ts';
import { Ledger } from '../ledger.ts';
import type { DrillRun } from '../report.ts';
import { runScenario } from '../run-scenario.ts';
import { mustFindScenario } from '../scenarios.ts';
import { startTraffic } from '../traffic.ts';
import { createTable, trafficOf } from '../traffic-of-cluster.ts';
import { drillClusterOf } from '../up-cluster.ts';

export const FAULTS = ['primary-crash', 'switchover', 'host-loss'];
/**
 * A crash within a minute of another one restarts in place (rule S13), and each holder that is new
 * to that minute counts it anew: not measured here.
 */
const REST_MS = 62_000;

export interface Rounds {
  readonly rounds: number;
  readonly say: (line: string) => void;
}

export const measureFaults = async (
  up: RunningUp,
  { rounds, say }: Rounds,
): Promise<readonly DrillRun[]> => {
  const ledger = new Ledger();
  const traffic = trafficOf(up, ledger);
  const cluster = drillClusterOf(up);
  await createTable(traffic);
  const clients = startTraffic(traffic);
  const runs: DrillRun[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    if (round > 1) await sleep(REST_MS);
    for (const fault of FAULTS) {
      const run = await runScenario({ cluster, ledger, traffic }, mustFindScenario(fault));
      if (run === undefined) throw new Error(`${fault}: the cluster is not whole`);
      runs.push(run);
      say(
        `${round}/${rounds} ${fault}: ${run.oldPrimary} → ${run.newPrimary}, writes stopped ` +
          `${run.writeOutageMs} ms, lost ${run.lost}, all streaming after ${run.rejoinedMs} ms`,
      );
    }
  }
  await clients.stop();
  return runs;
};
