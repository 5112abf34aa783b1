/**
 * One order for what several tellers say, whose clocks differ.
 *
 * 1. A teller's own order is kept, and its own boot clock corrects steps of its wall clock.
 * 2. The store orders tellers: whoever knows revision R speaks after the decision that wrote R.
 *      pg1: hand over ──writes R──▶ store ──read──▶ pg2: take the lease (knows R)
 * 3. Where wall clocks contradict that, the one that is ahead is shifted back, all of its entries.
 * 4. What neither says, the wall clocks decide.
 *
 * This is for people to read. Nothing is decided by it.
 */
import type { JournalEntry, PlacedEntry, Testimony } from './entry.ts';
import { numberIn } from './entry.ts';

/** The boot clock has steps of 10 ms, and writing a line takes a moment: no reason to correct. */
const CLOCK_GRAIN_MS = 100;

export interface Ordered {
  readonly entries: readonly PlacedEntry[];
  /** How far the times of each teller were shifted; absent: not at all. */
  readonly shiftsMs: Readonly<Record<string, number>>;
}

/** `cause` of teller `by` comes before `effect` of teller `of`; both are indexes. */
interface Link {
  readonly by: number;
  readonly cause: number;
  readonly of: number;
  readonly effect: number;
}

export const orderEntries = (testimonies: readonly Testimony[]): Ordered => {
  const times = testimonies.map(({ entries }) => ownTimes(entries));
  const links = findLinks(testimonies);
  const shifts = findShifts(times, links);
  const entries = merge(testimonies, { times, links, shifts });
  const shifted = testimonies.flatMap(({ teller }, index) => {
    const shift = shifts[index] ?? 0;
    return shift === 0 ? [] : [[teller, shift] as const];
  });
  return { entries, shiftsMs: Object.fromEntries(shifted) };
};

/** When the entries of one teller were, on its wall clock as it stood at the end of each run. */
const ownTimes = (entries: readonly JournalEntry[]): number[] => {
  const times = entries.map(({ wallMs }) => wallMs);
  let anchor: number | undefined;
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    const entry = entries[index];
    if (entry === undefined) continue;
    const { wallMs, clock } = entry;
    if (
      clock !== undefined &&
      anchor !== undefined &&
      Math.abs(clock + anchor - wallMs) > CLOCK_GRAIN_MS
    )
      times[index] = clock + anchor;
    if (clock === undefined || beginsRun(entries, index)) anchor = undefined;
    else anchor ??= wallMs - clock;
    times[index] = Math.min(times[index] ?? wallMs, times[index + 1] ?? Infinity);
  }
  return times;
};

/** The host was started anew before this entry: its boot clock began again. */
const beginsRun = (entries: readonly JournalEntry[], index: number): boolean => {
  const entry = entries[index];
  const before = entries[index - 1];
  if (before?.clock === undefined || entry?.clock === undefined) return true;
  if (entry.clock < before.clock) return true;
  const host = hostIn(entry);
  if (host === undefined) return false;
  const earlier = entries.slice(0, index).findLast((one) => hostIn(one) !== undefined);
  return earlier !== undefined && hostIn(earlier) !== host;
};

const hostIn = ({ event, details }: JournalEntry): string | undefined =>
  event === 'loop.began' && typeof details['host'] === 'string' ? details['host'] : undefined;

const findLinks = (testimonies: readonly Testimony[]): Link[] =>
  testimonies.flatMap(({ entries }, by) =>
    entries.flatMap((entry, index) => {
      const written = entry.event === 'transaction.applied' && numberIn(entry, 'written');
      const cause = findCause(entries, index);
      if (typeof written !== 'number' || cause === undefined) return [];
      return testimonies.flatMap((other, of) => {
        const effect = other.entries.findIndex(({ revision }) => (revision ?? 0) >= written);
        return of !== by && effect >= 0 ? [{ by, cause, of, effect }] : [];
      });
    }),
  );

/** The decision that sent what was applied: of the same rule, at the moment of sending. */
const findCause = (entries: readonly JournalEntry[], applied: number): number | undefined => {
  const entry = entries[applied];
  if (entry === undefined) return undefined;
  const sentAt = numberIn(entry, 'sentAt') ?? Infinity;
  for (let index = applied - 1; index >= 0; index -= 1) {
    const { clock = 0, rule } = entries[index] ?? {};
    if (clock > sentAt) continue;
    if (clock < sentAt || (rule !== undefined && rule === entry.rule)) return index;
  }
  return undefined;
};

/** The greatest shifts, none above 0, that no link contradicts; then most tellers stay put. */
const findShifts = (times: readonly (readonly number[])[], links: readonly Link[]): number[] => {
  const shifts = times.map(() => 0);
  for (let round = 0; round < times.length; round += 1) {
    let changed = false;
    for (const { by, cause, of, effect } of links) {
      const causeMs = (times[by]?.[cause] ?? 0) + (shifts[by] ?? 0);
      const effectMs = (times[of]?.[effect] ?? 0) + (shifts[of] ?? 0);
      if (causeMs <= effectMs) continue;
      shifts[by] = (shifts[by] ?? 0) - (causeMs - effectMs);
      changed = true;
    }
    if (!changed) break;
  }
  const median = shifts.toSorted((a, b) => a - b)[Math.floor(shifts.length / 2)] ?? 0;
  return shifts.map((shift) => shift - median);
};

interface Placing {
  readonly times: readonly (readonly number[])[];
  readonly links: readonly Link[];
  readonly shifts: readonly number[];
}

/** Takes the earliest head whose causes have all been taken; if they contradict each other, any. */
const merge = (
  testimonies: readonly Testimony[],
  { times, links, shifts }: Placing,
): PlacedEntry[] => {
  const next = testimonies.map(() => 0);
  const timeOf = (of: number): number => (times[of]?.[next[of] ?? 0] ?? 0) + (shifts[of] ?? 0);
  const needs = new Map<string, Link[]>();
  for (const link of links) {
    const key = `${link.of} ${link.effect}`;
    needs.set(key, [...(needs.get(key) ?? []), link]);
  }
  const isFree = (of: number): boolean =>
    (needs.get(`${of} ${next[of] ?? 0}`) ?? []).every(({ by, cause }) => (next[by] ?? 0) > cause);
  const placed: PlacedEntry[] = [];
  let lastMs = -Infinity;
  for (;;) {
    const heads = testimonies.flatMap(({ entries }, of) =>
      (next[of] ?? 0) < entries.length ? [of] : [],
    );
    const free = heads.filter(isFree);
    const [first] = (free.length > 0 ? free : heads).sort((a, b) => timeOf(a) - timeOf(b));
    if (first === undefined) return placed;
    const entry = testimonies[first]?.entries[next[first] ?? 0];
    lastMs = Math.max(lastMs, timeOf(first));
    if (entry !== undefined) placed.push({ ...entry, atMs: lastMs });
    next[first] = (next[first] ?? 0) + 1;
  }
};
