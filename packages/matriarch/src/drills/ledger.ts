/** What applications saw: every write with its outcome and time, every read. */

export type WriteOutcome = 'acknowledged' | 'failed' | 'unknown';

export interface WriteRecord {
  readonly id: string;
  readonly outcome: WriteOutcome;
  /** Milliseconds on the process clock when the answer came. */
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

  recordWrite(id: string, outcome: WriteOutcome): void {
    this.writes.push({ id, outcome, atMs: performance.now() });
  }

  recordRead(succeeded: boolean): void {
    (succeeded ? this.reads : this.readErrors).push(performance.now());
  }

  acknowledgedIds(): string[] {
    return this.writes.filter(({ outcome }) => outcome === 'acknowledged').map(({ id }) => id);
  }

  countAcknowledged({ fromMs, toMs }: Window): number {
    return this.writes.filter(
      ({ outcome, atMs }) => outcome === 'acknowledged' && atMs >= fromMs && atMs < toMs,
    ).length;
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
    const times = this.writes
      .filter(({ outcome }) => outcome === 'acknowledged')
      .map(({ atMs }) => atMs);
    return longestGapMs(times, window);
  }

  readOutageMs(window: Window): number {
    return longestGapMs(this.reads, window);
  }

  /** When the first write was acknowledged at or after an instant. */
  firstWriteAfter(instantMs: number): number | undefined {
    return this.writes.find(({ outcome, atMs }) => outcome === 'acknowledged' && atMs >= instantMs)
      ?.atMs;
  }
}

/**
 * The longest time within the window in which nothing succeeded, from the last success before it.
 * Times are in the order in which they were recorded.
 */
export const longestGapMs = (times: readonly number[], { fromMs, toMs }: Window): number => {
  const before = times.findLast((at) => at < fromMs) ?? fromMs;
  const inside = times.filter((at) => at >= fromMs && at < toMs);
  let longest = 0;
  let last = before;
  for (const at of [...inside, ...(inside.length === 0 ? [toMs] : [])]) {
    longest = Math.max(longest, at - last);
    last = at;
  }
  return Math.round(longest);
};
