/** Plays scenario after scenario on one cluster, and keeps the report after each run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger } from './ledger.ts';
import type { DrillCluster } from './drill-cluster.ts';
import {
  type DrillMode,
  type DrillReport,
  type DrillResult,
  type DrillRun,
  findProblems,
  formatRun,
} from './report.ts';
import { type DrillParts, runScenario } from './run-scenario.ts';
import { type Scenario, isCrash } from './scenario.ts';
import { startDirectWriter, startTraffic } from './traffic.ts';
import {
  beginNextSegment,
  createTable,
  dropTable,
  serverDoors,
  trafficOf,
} from './traffic-of-cluster.ts';

export interface DrillPlan {
  readonly scenarios: readonly Scenario[];
  readonly repeat: number;
  readonly mode: DrillMode;
  /** What an earlier exercise has found: those runs are not played again. */
  readonly found: readonly DrillResult[];
  readonly say: (line: string) => void;
  readonly keep: (report: DrillReport) => void;
  readonly explain: DrillParts['explain'];
  readonly isStopping: () => boolean;
}

/**
 * A crash within a minute of another one restarts in place, and the next one rests (rule S13): what
 * is to be seen is what a single one does.
 */
const CRASH_REST_MS = 62_000;
const LOOK_MS = 200;

export interface DrillOutcome {
  readonly report: DrillReport;
  /** What was not as it has to be: sentences with the scenario's name. */
  readonly problems: readonly string[];
}

/** Ends early when the cluster does not become whole again: the next one is for a whole cluster. */
export const runDrills = async (cluster: DrillCluster, plan: DrillPlan): Promise<DrillOutcome> => {
  const ledger = new Ledger();
  const direct = new Ledger();
  const traffic = trafficOf(cluster, ledger);
  await createTable(traffic);
  const clients = startTraffic(traffic);
  const writer = startDirectWriter({ ...traffic, ledger: direct }, serverDoors(cluster));
  const results = new Results(cluster, plan);
  const parts = { cluster, ledger, direct, traffic, explain: plan.explain };
  const toPlay = plan.scenarios.flatMap((scenario) =>
    Array.from({ length: Math.max(0, plan.repeat - results.count(scenario)) }, () => scenario),
  );
  let crashedAt = -Infinity;
  try {
    for (const scenario of toPlay) {
      if (isCrash(scenario)) await rest(crashedAt + CRASH_REST_MS, plan);
      if (plan.isStopping()) break;
      const run = await runScenario(parts, scenario);
      // The minute counts from the hand-over, at whatever time that was.
      if (isCrash(scenario)) crashedAt = performance.now();
      if (run === undefined)
        results.problem(scenario, 'the cluster is not whole: nothing was done to it');
      else results.add(scenario, run);
      if (run === undefined || run.wholeMs === null) break;
      // Whoever cannot write now is waited for by the next one.
      if (cluster.disks !== undefined) await beginNextSegment(traffic).catch(() => undefined);
    }
    return results.outcome();
  } finally {
    await Promise.all([clients.stop(), writer.stop()]);
    // A cluster without a primary keeps it until the next exercise.
    await dropTable(traffic).catch(() => undefined);
  }
};

const rest = async (untilMs: number, { say, isStopping }: DrillPlan): Promise<void> => {
  const leftMs = untilMs - performance.now();
  if (leftMs > 0)
    say(
      `resting ${Math.ceil(leftMs / 1_000)} s: a crash soon after another one is another matter\n`,
    );
  while (performance.now() < untilMs && !isStopping()) await sleep(LOOK_MS);
};

class Results {
  readonly #cluster: DrillCluster;
  readonly #plan: DrillPlan;
  readonly #runs: Map<string, { readonly scenario: Scenario; readonly runs: DrillRun[] }>;
  readonly #problems: string[] = [];

  constructor(cluster: DrillCluster, plan: DrillPlan) {
    this.#cluster = cluster;
    this.#plan = plan;
    this.#runs = new Map(
      plan.scenarios.map((scenario) => [
        scenario.name,
        { scenario, runs: [...(this.#foundFor(scenario)?.runs ?? [])] },
      ]),
    );
    for (const { scenario, runs } of this.#runs.values())
      for (const run of runs) this.#judge(scenario, run);
  }

  #foundFor({ name }: Scenario): DrillResult | undefined {
    const { found, mode } = this.#plan;
    return found.find((result) => result.scenario === name && result.mode === mode);
  }

  count({ name }: Scenario): number {
    return this.#runs.get(name)?.runs.length ?? 0;
  }

  add(scenario: Scenario, run: DrillRun): void {
    const { say, keep, repeat } = this.#plan;
    this.#runs.get(scenario.name)?.runs.push(run);
    if (repeat > 1) say(`run ${this.count(scenario)} of ${repeat}`);
    say(formatRun(run));
    for (const problem of this.#judge(scenario, run)) say(`  NOT AS IT HAS TO BE: ${problem}`);
    say('');
    keep(this.#report());
  }

  problem({ name }: Scenario, sentence: string): void {
    this.#problems.push(`${name}: ${sentence}`);
  }

  #judge(scenario: Scenario, run: DrillRun): readonly string[] {
    const problems = findProblems(run, this.#plan.mode);
    for (const problem of problems) this.problem(scenario, problem);
    return problems;
  }

  #report(): DrillReport {
    const { mode, found } = this.#plan;
    const isOurs = ({ scenario, mode: other }: DrillResult): boolean =>
      other === mode && this.#runs.has(scenario);
    const ours = [...this.#runs.values()]
      .filter(({ runs }) => runs.length > 0)
      .map(({ scenario: { name, says }, runs }) => ({ scenario: name, says, mode, runs }));
    return {
      cluster: this.#cluster.config.cluster,
      ttlMs: this.#cluster.config.timing.ttlMs,
      drills: [...found.filter((result) => !isOurs(result)), ...ours],
    };
  }

  outcome(): DrillOutcome {
    return { report: this.#report(), problems: this.#problems };
  }
}
