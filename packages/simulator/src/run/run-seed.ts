import type { Violation } from '../checkers/checker.ts';
import { LIVENESS, whyNobodyMay, whyNotEqual, whyNotHealthy } from '../checkers/liveness.ts';
import { FaultSchedule, type ScriptedFault } from '../faults/fault-schedule.ts';
import { FAULTS_UNTIL_MS, type Profile, drawOptions, planFaults } from '../faults/profiles.ts';
import type { SimHost } from '../host/sim-host.ts';
import type { Plant } from '../plants/plant.ts';
import { Random } from '../random.ts';
import type { Coverage } from '../world/coverage.ts';
import type { StoryListener } from '../world/journal.ts';
import { Simulation } from '../world/simulation.ts';

export interface RunOptions {
  readonly seed: number;
  readonly profile: Profile;
  readonly plant?: Plant | undefined;
  /** Names of the checkers that watch, liveness among them; undefined: all of them. */
  readonly only?: readonly string[] | undefined;
  readonly story?: StoryListener | undefined;
  /** These faults instead of those of the seed; they may go with the ttl it has drawn. */
  readonly script?: Script | undefined;
  /** Hosts whose own client does not write, and `clients` for the one that comes from outside. */
  readonly silent?: readonly string[] | undefined;
}

export type Script =
  | readonly ScriptedFault[]
  | ((policy: { readonly ttlMs: number }) => readonly ScriptedFault[]);

export interface RunResult {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** Why the cluster need not be whole again, although no rule is broken. */
  readonly excuse: string | undefined;
  /** Equal hashes: the same things happened at the same times. */
  readonly hash: string;
  readonly simulatedMs: number;
  readonly events: number;
  readonly faults: number;
  /** The faults as they were. */
  readonly script: readonly ScriptedFault[];
  readonly acknowledged: number;
  readonly promotions: number;
  readonly coverage: Coverage;
}

/** The name under which an error that was thrown is reported. */
export const ASSERTION = 'no-assertion-fails';

/** After healing the cluster has this long to be whole again, and as long to be equal. */
const HEALTHY_WITHIN_MS = 120_000;
const EQUAL_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 1_000;

/** Safety first: faults for a while. Then healing, and what is asked for is liveness. */
export const runSeed = (asked: RunOptions): RunResult => {
  const { seed, profile, plant, only, story, script, silent } = asked;
  const random = new Random(seed, 'scenario');
  const options = drawOptions(seed, profile, random);
  const simulation = new Simulation({ ...options, plant, only, story, silent });
  story?.tell?.(`seed ${seed}: ${describe(options)}`);
  const schedule = new FaultSchedule(
    simulation,
    { seed, plan: planFaults(profile, random) },
    typeof script === 'function' ? script(options.policy) : script,
  );
  try {
    simulation.kernel.runUntil(FAULTS_UNTIL_MS);
    const wantsLiveness = only === undefined || only.includes(LIVENESS);
    if (simulation.violation === undefined && wantsLiveness) heal(simulation, schedule);
  } catch (error) {
    // Nothing that is simulated may throw: the seed that makes it is as good as any other finding.
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    simulation.report({ checker: ASSERTION, host: 'world', at: simulation.kernel.now, message });
  }
  if (simulation.violation !== undefined)
    for (const host of simulation.hosts.values())
      simulation.journal.note(host.name, 'stands', () => describeHost(host));
  const { kernel, journal, ledger, violation } = simulation;
  return {
    seed,
    violation,
    excuse: simulation.excuse,
    hash: journal.hash,
    simulatedMs: kernel.now,
    events: kernel.events,
    faults: schedule.script.length,
    script: schedule.script,
    acknowledged: ledger.acknowledged.length,
    promotions: simulation.promotions,
    coverage: simulation.coverage.coverage,
  };
};

const describe = (options: ReturnType<typeof drawOptions>): string => {
  const { policy, members } = options;
  const lease = policy.fastLease ? 'fast lease' : `loop_wait ${policy.loopWaitMs} ms`;
  const start = `primary_start_timeout ${policy.primaryStartTimeoutMs} ms`;
  const { mode, count, strict } = policy.synchronous;
  const waits = mode === 'off' ? 'asynchronous' : `${mode} ${count}${strict ? ' strict' : ''}`;
  return `${members.length} members, ttl ${policy.ttlMs} ms, ${lease}, ${start}, ${waits}`;
};

const heal = (simulation: Simulation, schedule: FaultSchedule): void => {
  schedule.heal();
  const healedAt = simulation.kernel.now;
  const whyNotWhole = (): string | undefined => {
    if (simulation.routedWriter.answeredAt < healedAt) return 'no client was answered since';
    return whyNotHealthy(simulation);
  };
  if (!waitUntil(simulation, HEALTHY_WITHIN_MS, whyNotWhole)) return;
  simulation.journal.note('world', 'whole again');
  simulation.stopWriting();
  const whyNotAtRest = (): string | undefined =>
    whyNotHealthy(simulation) ?? whyNotEqual(simulation);
  if (!waitUntil(simulation, EQUAL_WITHIN_MS, whyNotAtRest)) return;
  simulation.checkAtEnd();
};

const describeHost = ({ guard, postgres }: SimHost): string => {
  const { running, disk } = postgres;
  const data = disk.data;
  const server =
    running === undefined
      ? 'no server'
      : `${running.inRecovery ? 'standby' : 'primary'} ${running.phase}, ` +
        `postmaster ${running.postmaster}, from ${running.upstream?.address ?? 'nobody'}, ` +
        (running.receiver?.refusal ?? 'no refusal');
  const end = `${data?.wal.end ?? 0} on timeline ${data?.lineage.timeline ?? 0}`;
  return `${server}; ${disk.occupant.kind} to ${end}; ${guard?.loop?.lastDecision ?? 'no loop'}`;
};

/** Lets the world go on until nothing is wrong; false when that did not happen in time. */
const waitUntil = (
  simulation: Simulation,
  limitMs: number,
  whyNot: () => string | undefined,
): boolean => {
  const { kernel } = simulation;
  const limit = kernel.now + limitMs;
  let reason = whyNot();
  while (reason !== undefined && kernel.now < limit && simulation.violation === undefined) {
    kernel.runUntil(kernel.now + LOOK_EVERY_MS);
    reason = whyNot();
  }
  if (simulation.violation !== undefined) return false;
  if (reason === undefined) return true;
  simulation.excuse = whyNobodyMay(simulation);
  if (simulation.excuse !== undefined) {
    simulation.journal.note('world', 'stays as it is', () => simulation.excuse ?? '');
    return false;
  }
  const message = `not whole ${limitMs / 1_000} s after healing: ${reason}`;
  simulation.report({ checker: LIVENESS, host: 'world', at: kernel.now, message });
  return false;
};
