/** Plays a scenario on a real cluster under load, and measures what applications see. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Incident, StoreSnapshot } from '@matriarch/core';
import { LOOK_MS, until, untilReady } from './await-snapshot.ts';
import type { DrillCluster } from './drill-cluster.ts';
import { type Undo, harms } from './harms.ts';
import { collectSteps } from './journal-steps.ts';
import type { Ledger, Window } from './ledger.ts';
import type { DrillRun, FaultStep } from './report.ts';
import { type Scenario, type ScenarioStep, type Target, spanMs } from './scenario.ts';
import { TABLE, type TrafficParts, connect } from './traffic.ts';

/** How long applications may be without writes before a drill gives up waiting. */
const RECOVERY_LIMIT_MS = 60_000;
/** Applications go on for so long before the next harm. */
const CALM_MS = 2_000;
/** A successor is harmed while it takes over: that is a matter of milliseconds. */
const QUICK_LOOK_MS = 5;
const BUCKET_MS = 100;

export interface DrillParts {
  readonly cluster: DrillCluster;
  readonly traffic: TrafficParts;
  readonly ledger: Ledger;
  /** What the writer that knows the servers themselves saw; undefined: there is none. */
  readonly direct?: Ledger | undefined;
  /** What the cluster itself tells; undefined: it is not asked. */
  readonly explain?: (() => Promise<readonly Incident[]>) | undefined;
}

/** One harm while it lasts, and what has become of it. */
interface Active {
  readonly undo: Undo;
  /** It is over after this; undefined: when applications can write again. */
  readonly over: Promise<void> | undefined;
}

/** The exercise as it goes on. */
class Exercise {
  readonly #parts: DrillParts;
  readonly #ttlMs: number;
  readonly #active: Active[] = [];
  readonly said: FaultStep[] = [];
  readonly wallMs = Date.now();
  readonly fromMs = performance.now();
  /** When the last harm began, or ended if it lasts for a time. */
  #harmedAt = this.fromMs;

  constructor(parts: DrillParts) {
    this.#parts = parts;
    this.#ttlMs = parts.cluster.config.timing.ttlMs;
  }

  async play(steps: readonly ScenarioStep[]): Promise<void> {
    for (const step of steps) {
      await this.#await(step.after);
      await this.#begin(step);
    }
    for (const { over } of this.#active) await over;
  }

  async #await(after: ScenarioStep['after']): Promise<void> {
    const { cluster } = this.#parts;
    if (after === undefined) return;
    if (after === 'whole') {
      await untilReady(cluster);
      return;
    }
    if (after !== 'next-holder') return sleep(spanMs(after, this.#ttlMs));
    const held = (await cluster.snapshot())?.leader;
    await until(
      cluster,
      ({ leader }) => leader !== undefined && leader.modRevision !== held?.modRevision,
      { limitMs: RECOVERY_LIMIT_MS, lookMs: QUICK_LOOK_MS },
    );
  }

  async #begin({ harm, hits, lasts }: ScenarioStep): Promise<void> {
    const { cluster } = this.#parts;
    const member = await findTarget(cluster, hits);
    this.#say(`${harm} ${member}`);
    const undo = await harms[harm]({ cluster, member });
    this.#harmedAt = performance.now();
    if (lasts === undefined) return;
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      undo();
      this.#say(`over: ${harm} ${member}`);
      this.#harmedAt = performance.now();
    };
    const over =
      lasts === 'until-written' ? undefined : sleep(spanMs(lasts, this.#ttlMs)).then(end);
    this.#active.push({ undo: end, over });
  }

  #say(name: string): void {
    this.said.push({ name, atMs: Math.round(performance.now() - this.fromMs) });
  }

  /** Somebody else holds the lease, or the server has started again in place. */
  async #hasMoved(before: StoreSnapshot | undefined): Promise<boolean> {
    const leader = (await this.#parts.cluster.snapshot())?.leader;
    if (leader === undefined) return false;
    if (leader.modRevision !== before?.leader?.modRevision) return true;
    return this.steps().some(({ name }) => name === `server.restarting ${leader.value}`);
  }

  /**
   * Waits until applications write again, after all that was to be seen has been seen: what is done
   * to one member may take a ttl to show. False: they could not within the limit.
   */
  async untilWritten(before: StoreSnapshot | undefined, moves: boolean): Promise<boolean> {
    const { ledger } = this.#parts;
    let seenAt: number | undefined;
    while (performance.now() - this.#harmedAt < RECOVERY_LIMIT_MS) {
      const now = performance.now();
      const isSettled = !moves && now - this.#harmedAt > this.#ttlMs;
      if (seenAt === undefined && (isSettled || (await this.#hasMoved(before)))) seenAt = now;
      if (seenAt !== undefined && ledger.hasWrittenSince(seenAt)) return true;
      await sleep(LOOK_MS);
    }
    return false;
  }

  /** Nothing is harmed any more; answers when the last harm ended. */
  heal(): number {
    for (const { undo } of this.#active) undo();
    return this.#harmedAt;
  }

  steps(): readonly FaultStep[] {
    return collectSteps(journalsOf(this.#parts.cluster), this.wallMs);
  }
}

const journalsOf = ({ config, journalFile }: DrillCluster): ReadonlyMap<string, string> =>
  new Map(config.members.map(({ name }) => [name, journalFile(name)]));

const findTarget = async (cluster: DrillCluster, target: Target): Promise<string> => {
  const snapshot = await until(cluster, ({ leader }) => leader !== undefined, {
    limitMs: RECOVERY_LIMIT_MS,
    lookMs: QUICK_LOOK_MS,
  });
  const holder = snapshot?.leader?.value;
  const names = cluster.config.members.map(({ name }) => name);
  const [first = '', second = first] = names.filter((name) => name !== holder).sort();
  if (target === 'primary') return holder ?? first;
  return target === 'replica' ? first : second;
};

/** Undefined: the cluster was not whole before, and nothing was done to it. */
export const runScenario = async (
  parts: DrillParts,
  scenario: Scenario,
): Promise<DrillRun | undefined> => {
  const { cluster } = parts;
  const before = await untilReady(cluster);
  if (before === undefined) return undefined;
  await sleep(CALM_MS);
  const exercise = new Exercise(parts);
  try {
    await exercise.play(scenario.steps);
    const wroteAgain = await exercise.untilWritten(before, scenario.primary === 'moves');
    await sleep(CALM_MS);
    const winner = (await cluster.snapshot())?.leader;
    const healedAtMs = exercise.heal();
    const whole = await untilReady(cluster);
    const wholeAtMs = performance.now();
    // What a server does that was frozen or cut off a moment ago belongs to it.
    await sleep(CALM_MS);
    const after = (await cluster.snapshot())?.leader;
    return await measure(parts, exercise, {
      scenario,
      oldPrimary: before.leader?.value ?? '',
      newPrimary: after?.value ?? '',
      wroteAgain,
      movedAgain: winner !== undefined && after?.modRevision !== winner.modRevision,
      window: { fromMs: exercise.fromMs, toMs: performance.now() },
      healedAtMs,
      wholeAtMs: whole === undefined ? undefined : wholeAtMs,
    });
  } finally {
    // Whatever happens, nothing stays harmed.
    exercise.heal();
  }
};

interface Played extends Pick<DrillRun, 'oldPrimary' | 'newPrimary' | 'wroteAgain' | 'movedAgain'> {
  readonly scenario: Scenario;
  /** From the first harm to the end. */
  readonly window: Window;
  readonly healedAtMs: number;
  readonly wholeAtMs: number | undefined;
}

const measure = async (
  { ledger, direct, traffic, explain }: DrillParts,
  exercise: Exercise,
  { scenario, window, healedAtMs, wholeAtMs, ...judged }: Played,
): Promise<DrillRun> => {
  const { fromMs, toMs } = window;
  const firstWrite = ledger.firstWriteAfterOutage(window);
  const written =
    firstWrite === undefined
      ? []
      : [{ name: 'write.acknowledged', atMs: Math.round(firstWrite - fromMs) }];
  const incidents = (await explain?.()) ?? [];
  const chart = { fromMs: fromMs - CALM_MS, toMs };
  return {
    scenario: scenario.name,
    startedAt: new Date(exercise.wallMs).toISOString(),
    ...judged,
    writeOutageMs: ledger.writeOutageMs(window),
    readOutageMs: ledger.readOutageMs(window),
    clientErrors: ledger.countErrors(window),
    errors: ledger.countTroubles(window),
    acknowledged: ledger.acknowledgedIds().length,
    lost: await countLost(traffic, direct === undefined ? [ledger] : [ledger, direct]),
    harms: exercise.said,
    steps: [...exercise.steps(), ...written].sort((a, b) => a.atMs - b.atMs),
    rejoinedMs: wholeAtMs === undefined ? null : Math.round(wholeAtMs - fromMs),
    wholeMs: wholeAtMs === undefined ? null : Math.round(Math.max(0, wholeAtMs - healedAtMs)),
    writes: {
      bucketMs: BUCKET_MS,
      fromMs: -CALM_MS,
      counts: ledger.countPerBucket(chart, BUCKET_MS),
    },
    incidents: incidents
      .filter(({ beganAtMs }) => beganAtMs >= exercise.wallMs - LOOK_MS)
      .map(({ title, cause, silences }) => ({
        title,
        cause,
        evidence: silences.map(({ text }) => text),
      })),
  };
};

/** Compares every acknowledged row with the primary as it is now; null: nobody could be asked. */
export const countLost = async (
  traffic: TrafficParts,
  ledgers: readonly Ledger[],
): Promise<number | null> => {
  const [door] = traffic.writeDoors;
  if (door === undefined) return null;
  // Listed before the look: what is acknowledged later may not be there yet.
  const acknowledged = ledgers.map((ledger) => ledger.acknowledgedIds());
  const client = await connect(traffic, door).catch(() => undefined);
  if (client === undefined) return null;
  try {
    const { rows } = await client.query<{ id: string }>(`select id from ${TABLE}`);
    const present = new Set(rows.map(({ id }) => id));
    return ledgers.reduce(
      (sum, ledger, index) => sum + ledger.countNewlyLost(present, acknowledged[index] ?? []),
      0,
    );
  } catch {
    return null;
  } finally {
    client.end().catch(() => undefined);
  }
};
