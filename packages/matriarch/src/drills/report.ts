/** What a drill found, as it is written to a file; every time in milliseconds. */
import { median } from './median.ts';
import type { Scenario } from './scenario.ts';
import { findScenario } from './scenarios.ts';

export interface FaultStep {
  /** An event of the agents or of the applications: `lease.acquired pg2`, `write.acknowledged`. */
  readonly name: string;
  /** From the moment of the fault. */
  readonly atMs: number;
}

/** One scenario, played once. */
export interface DrillRun {
  readonly scenario: string;
  /** Wall clock, for people. */
  readonly startedAt: string;
  readonly oldPrimary: string;
  readonly newPrimary: string;
  /** Applications could write again within the limit. */
  readonly wroteAgain: boolean;
  /** The lease moved once more when nothing was harmed any more. */
  readonly movedAgain: boolean;
  /** Longest time in which no write was acknowledged. */
  readonly writeOutageMs: number;
  readonly readOutageMs: number;
  /** Statements that ended with an error, at the applications. */
  readonly clientErrors: number;
  /** Those and the logins that were refused, by what was said, the most frequent first. */
  readonly errors: Readonly<Record<string, number>>;
  /** All since the drill began. */
  readonly acknowledged: number;
  /** Of those, what the primary lacks after this run and had before it; null: not counted. */
  readonly lost: number | null;
  /** What was done, and when it was over. */
  readonly harms: readonly FaultStep[];
  readonly steps: readonly FaultStep[];
  /** When every member streamed again; null: not within the limit. */
  readonly rejoinedMs: number | null;
  /** The same, from when nothing was harmed any more. */
  readonly wholeMs: number | null;
  /** Acknowledged writes in each part of the time, `fromMs` being the begin of the first. */
  readonly writes: {
    readonly bucketMs: number;
    readonly fromMs: number;
    readonly counts: readonly number[];
  };
  /** What the cluster itself tells of it, and how it was known that the old server was silent. */
  readonly incidents: readonly {
    readonly title: string;
    readonly cause: string;
    readonly evidence: readonly string[];
  }[];
}

/** A run as the demo reports it. */
export interface FaultReport
  extends Pick<
    DrillRun,
    | 'oldPrimary'
    | 'newPrimary'
    | 'writeOutageMs'
    | 'readOutageMs'
    | 'clientErrors'
    | 'acknowledged'
    | 'lost'
    | 'steps'
    | 'rejoinedMs'
  > {
  readonly fault: string;
}

export interface DemoReport {
  readonly cluster: string;
  readonly store: { readonly name: 'etcd'; readonly version: string; readonly members: number };
  readonly faults: readonly FaultReport[];
}

export const faultReportOf = (run: DrillRun): FaultReport => ({
  fault: run.scenario,
  oldPrimary: run.oldPrimary,
  newPrimary: run.newPrimary,
  writeOutageMs: run.writeOutageMs,
  readOutageMs: run.readOutageMs,
  clientErrors: run.clientErrors,
  acknowledged: run.acknowledged,
  lost: run.lost,
  steps: run.steps,
  rejoinedMs: run.rejoinedMs,
});

export type DrillMode = 'asynchronous' | 'synchronous' | 'quorum' | 'hybrid';

/** All runs of one scenario under one mode of replication. */
export interface DrillResult {
  readonly scenario: string;
  readonly says: string;
  readonly mode: DrillMode;
  readonly runs: readonly DrillRun[];
}

export interface DrillReport {
  readonly cluster: string;
  readonly ttlMs: number;
  readonly drills: readonly DrillResult[];
}

/** After a drill every member streams again within this time, without a hand. */
export const WHOLE_MAX_MS = 30_000;

const mayLose = ({ mayLose: may }: Scenario, mode: DrillMode): boolean =>
  may && (mode === 'asynchronous' || mode === 'hybrid');

/** What was not as it has to be, in sentences; none: the run has passed. */
export const findProblems = (run: DrillRun, mode: DrillMode): readonly string[] => {
  const scenario = findScenario(run.scenario);
  if (scenario === undefined) return [`there is no scenario ${run.scenario}`];
  const { oldPrimary, newPrimary, lost, wholeMs, wroteAgain, movedAgain } = run;
  const stayed = oldPrimary === newPrimary;
  return [
    ...(wroteAgain ? [] : ['applications could not write again']),
    ...(lost === null ? ['what was lost could not be counted'] : []),
    ...(lost !== null && lost > 0 && !mayLose(scenario, mode)
      ? [`${lost} acknowledged writes are lost`]
      : []),
    ...(movedAgain ? ['the lease moved once more when nothing was harmed any more'] : []),
    ...(scenario.primary === 'moves' && stayed ? [`${oldPrimary} is still the primary`] : []),
    ...(scenario.primary === 'stays' && !stayed
      ? [`${newPrimary} is the primary, and ${oldPrimary} should be`]
      : []),
    ...(wholeMs === null
      ? ['not every member streams again']
      : wholeMs > WHOLE_MAX_MS
        ? [`every member streamed again only after ${formatSeconds(wholeMs)}`]
        : []),
  ];
};

export const formatSeconds = (milliseconds: number): string =>
  `${(milliseconds / 1_000).toFixed(2)} s`;

export const formatMove = ({ oldPrimary, newPrimary }: DrillRun): string =>
  oldPrimary === newPrimary
    ? `${oldPrimary} is the primary again`
    : `${oldPrimary} → ${newPrimary}`;

export const formatLoss = ({ lost, acknowledged }: DrillRun): string => {
  if (lost === null) return `what is lost of ${acknowledged} acknowledged writes is not known`;
  return `${lost === 0 ? 'nothing' : lost} of ${acknowledged} acknowledged writes lost`;
};

/** What was done and what was seen, in one order. */
export const allSteps = ({ harms, steps }: DrillRun): readonly FaultStep[] =>
  [...harms, ...steps].sort((a, b) => a.atMs - b.atMs);

/** The least, the middle and the most of what was measured. */
export const spread = (values: readonly number[]): string => {
  if (values.length === 0) return 'never';
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most
    ? formatSeconds(least)
    : `${formatSeconds(least)} / ${formatSeconds(median(values))} / ${formatSeconds(most)}`;
};

/** One run as a person reads it. */
export const formatRun = (run: DrillRun): string => {
  const { scenario, rejoinedMs } = run;
  const says = findScenario(scenario)?.says ?? scenario;
  return [
    `${scenario}: ${says}: ${formatMove(run)}`,
    `  writes stopped for ${formatSeconds(run.writeOutageMs)}, ` +
      `reads for ${formatSeconds(run.readOutageMs)}, ` +
      `${run.clientErrors} statements ended with an error`,
    `  ${formatLoss(run)}`,
    ...allSteps(run).map(({ name, atMs }) => `  ${String(atMs).padStart(7)} ms  ${name}`),
    ...run.incidents.flatMap(({ evidence }) => evidence.map((text) => `              ${text}`)),
    rejoinedMs === null
      ? '  not every member streamed again within the limit'
      : `  ${String(rejoinedMs).padStart(7)} ms  every member streams again`,
  ].join('\n');
};
