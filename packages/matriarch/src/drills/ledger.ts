/** What applications saw: every write with its outcome and time, every read. */

export type WriteOutcome = 'acknowledged' | 'failed' | 'unknown';

export interface WriteRecord {
  readonly id: string;
  readonly outcome: WriteOutcome;
  /** Milliseconds on the process clock when the answer came. */
  readonly atMs: number;
}

/** What an application was not given: a statement that ended with an error, a login refused. */
export interface Trouble {
  /** `SQLSTATE 57P01`, `ECONNRESET`, or what the driver said. */
  readonly kind: string;
  readonly atMs: number;
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export class Ledger {
  readonly writes: WriteRecord[] = [];
  /** When reads were answered, and when they failed. */
  readonly reads: number[] = [];
  readonly readErrors: number[] = [];
  readonly troubles: Trouble[] = [];
  readonly #lost = new Set<string>();

  recordWrite(id: string, outcome: WriteOutcome): void {
    this.writes.push({ id, outcome, atMs: performance.now() });
  }

  recordRead(succeeded: boolean): void {
    (succeeded ? this.reads : this.readErrors).push(performance.now());
  }

  recordTrouble(error: unknown, at: 'login' | 'statement'): void {
    const kind = at === 'login' ? `login: ${kindOf(error)}` : kindOf(error);
    this.troubles.push({ kind, atMs: performance.now() });
  }

  /** How many of each kind, the most frequent first. */
  countTroubles({ fromMs, toMs }: Window): Readonly<Record<string, number>> {
    const counts = new Map<string, number>();
    for (const { kind, atMs } of this.troubles)
      if (atMs >= fromMs && atMs < toMs) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
  }

  /** Acknowledged writes in each part of the window, one after the other. */
  countPerBucket({ fromMs, toMs }: Window, bucketMs: number): readonly number[] {
    const length = Math.max(0, Math.ceil((toMs - fromMs) / bucketMs));
    const counts = Array.from({ length }, () => 0);
    for (const atMs of this.#acknowledgedAt()) {
      const index = Math.floor((atMs - fromMs) / bucketMs);
      if (atMs < toMs && counts[index] !== undefined) counts[index] += 1;
    }
    return counts;
  }

  acknowledgedIds(): string[] {
    return this.writes.filter(({ outcome }) => outcome === 'acknowledged').map(({ id }) => id);
  }

  /** Rows stay lost: a later fault is not charged with what an earlier one has cost. */
  countNewlyLost(present: ReadonlySet<string>, acknowledged: readonly string[]): number {
    const before = this.#lost.size;
    for (const id of acknowledged) if (!present.has(id)) this.#lost.add(id);
    return this.#lost.size - before;
  }

  hasWrittenSince(fromMs: number): boolean {
    const last = this.writes.findLast(({ outcome }) => outcome === 'acknowledged');
    return last !== undefined && last.atMs >= fromMs;
  }

  /** Writes that were not acknowledged, and reads that failed. */
  countErrors({ fromMs, toMs }: Window): number {
    const isInside = (atMs: number): boolean => atMs >= fromMs && atMs < toMs;
    const writes = this.writes.filter(
      ({ outcome, atMs }) => outcome !== 'acknowledged' && isInside(atMs),
    );
    return writes.length + this.readErrors.filter(isInside).length;
  }

  writeOutageMs(window: Window): number {
    return Math.round(lengthOf(longestGap(this.#acknowledgedAt(), window)));
  }

  readOutageMs(window: Window): number {
    return Math.round(lengthOf(longestGap(this.reads, window)));
  }

  /** When writes were acknowledged again; undefined: not within the window. */
  firstWriteAfterOutage(window: Window): number | undefined {
    const { toMs } = longestGap(this.#acknowledgedAt(), window);
    return toMs < window.toMs ? toMs : undefined;
  }

  #acknowledgedAt(): number[] {
    return this.writes.filter(({ outcome }) => outcome === 'acknowledged').map(({ atMs }) => atMs);
  }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** PostgreSQL's code, or the system's, or what the driver says. */
const kindOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? textOf(error.code) : undefined;
  if (code === undefined) return error.message;
  return /^[0-9A-Z]{5}$/.test(code) ? `SQLSTATE ${code}` : code;
};

const lengthOf = ({ fromMs, toMs }: Window): number => toMs - fromMs;

/**
 * The longest time in which nothing succeeded, from the last success before the window to its end.
 * A write that was under way at a fault may still be answered, so the outage is not simply what
 * follows the fault. Times are in the order in which they were recorded.
 */
export const longestGap = (times: readonly number[], window: Window): Window => {
  const { fromMs, toMs } = window;
  const inside = times.filter((at) => at >= fromMs && at < toMs);
  let last = times.findLast((at) => at < fromMs) ?? fromMs;
  let longest: Window = { fromMs: last, toMs: last };
  for (const at of [...inside, toMs]) {
    if (at - last > lengthOf(longest)) longest = { fromMs: last, toMs: at };
    last = at;
  }
  return longest;
};
