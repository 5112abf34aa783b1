import type { Explanation, Incident } from '@matriarch/core';
import type { Source } from '../../explain/collect-testimonies.ts';

const time = (ms: number): string => new Date(ms).toISOString();

const incidentJson = (incident: Incident): object => {
  const { beganAtMs, endedAtMs, steps, silences, ...rest } = incident;
  return {
    ...rest,
    beganAt: time(beganAtMs),
    endedAt: time(endedAtMs),
    steps: steps.map(({ atMs, ...step }) => ({ at: time(atMs), ...step })),
    silences: silences.map(({ atMs, ...silence }) => ({ at: time(atMs), ...silence })),
  };
};

/** `--format json`: the incidents, oldest first, and who told of them. */
export const assembleExplainJson = (
  { incidents, shiftsMs }: Explanation,
  { cluster, sources }: { readonly cluster: string; readonly sources: readonly Source[] },
): object => ({
  cluster,
  incidents: incidents.map(incidentJson),
  tellers: sources.map(({ teller, from, cause, completeSinceMs }) => ({
    teller,
    from,
    cause,
    completeSince: completeSinceMs === undefined ? undefined : time(completeSinceMs),
    shiftedMs: shiftsMs[teller],
  })),
});
