/** What a drill found, as it is written to a file; every time in milliseconds. */

export type FaultName = 'primary-crash' | 'host-loss' | 'switchover';

export interface FaultStep {
  /** An event of the agents or of the applications: `lease.acquired pg2`, `write.acknowledged`. */
  readonly name: string;
  /** From the moment of the fault. */
  readonly atMs: number;
}

export interface FaultReport {
  readonly fault: FaultName;
  readonly oldPrimary: string;
  readonly newPrimary: string;
  /** Longest time in which no write was acknowledged. */
  readonly writeOutageMs: number;
  readonly readOutageMs: number;
  /** Statements that ended with an error, at the applications. */
  readonly clientErrors: number;
  /** All since the drill began. */
  readonly acknowledged: number;
  /** Of those, what the primary does not have after this fault and still had before it. */
  readonly lost: number;
  readonly steps: readonly FaultStep[];
  /** When every member streamed again; null: not within the limit. */
  readonly rejoinedMs: number | null;
}

export interface DrillReport {
  readonly cluster: string;
  readonly store: { readonly name: 'etcd'; readonly version: string; readonly members: number };
  readonly faults: readonly FaultReport[];
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(2)} s`;

const TITLES: Readonly<Record<FaultName, string>> = {
  'primary-crash': 'PostgreSQL of the primary killed (SIGKILL of the postmaster)',
  'host-loss': 'host of the primary lost (SIGKILL of everything on it, its etcd too)',
  switchover: 'switchover asked for',
};

/** One fault as a person reads it. */
export const formatFault = (report: FaultReport): string => {
  const { fault, oldPrimary, newPrimary, lost, acknowledged, rejoinedMs } = report;
  const moved =
    oldPrimary === newPrimary
      ? `${oldPrimary} started again in place`
      : `${oldPrimary} → ${newPrimary}`;
  const loss =
    lost === 0
      ? `nothing of ${acknowledged} acknowledged writes lost`
      : `${lost} of ${acknowledged} acknowledged writes lost: no replica had received them`;
  return [
    `${TITLES[fault]}: ${moved}`,
    `  writes stopped for ${seconds(report.writeOutageMs)}, ` +
      `reads for ${seconds(report.readOutageMs)}, ` +
      `${report.clientErrors} statements ended with an error`,
    `  ${loss}`,
    ...report.steps.map(({ name, atMs }) => `  ${String(atMs).padStart(7)} ms  ${name}`),
    rejoinedMs === null
      ? '  not every member streamed again within the limit'
      : `  ${String(rejoinedMs).padStart(7)} ms  every member streams again`,
  ].join('\n');
};
