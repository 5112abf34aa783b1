import type { Totals } from './block.ts';

export interface Progress {
  readonly totals: Totals;
  /** How many seeds there are to be played. */
  readonly wanted: number;
  readonly elapsedMs: number;
}

const BAR_WIDTH = 24;

const seedsPerSecond = ({ totals, elapsedMs }: Progress): number =>
  elapsedMs > 0 ? totals.seeds / (elapsedMs / 1_000) : 0;

/** `2 h 05 min`, `3 min 20 s` or `12 s`. */
export const formatDuration = (milliseconds: number): string => {
  const seconds = Math.round(milliseconds / 1_000);
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (seconds >= 3_600)
    return `${Math.floor(seconds / 3_600)} h ${pad(Math.floor((seconds % 3_600) / 60))} min`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s` : `${seconds} s`;
};

/** One line: how far it is, how fast, and how long it will still take. */
export const formatProgress = (progress: Progress): string => {
  const { totals, wanted } = progress;
  const rate = seedsPerSecond(progress);
  const left = rate > 0 ? `${formatDuration(((wanted - totals.seeds) / rate) * 1_000)} left` : '';
  const share = ((totals.seeds / wanted) * 100).toFixed(1);
  const figures = `${totals.seeds} of ${wanted} seeds (${share} %), ${rate.toFixed(1)} per second`;
  return left === '' ? figures : `${figures}, ${left}`;
};

/** The same with a bar, for a terminal. */
export const formatBar = (progress: Progress): string => {
  const filled = Math.floor((progress.totals.seeds / progress.wanted) * BAR_WIDTH);
  return `[${'#'.repeat(filled).padEnd(BAR_WIDTH, '.')}] ${formatProgress(progress)}`;
};

/** What was done in the end, or until somebody had seen enough. */
export const formatTotals = ({ totals, elapsedMs }: Progress): string => {
  const { seeds, simulatedMs, faults, promotions, acknowledged, digest } = totals;
  const hours = (simulatedMs / 3_600_000).toFixed(1);
  return (
    `${seeds} seeds in ${formatDuration(elapsedMs)}: ${hours} hours of cluster life, ` +
    `${faults} faults, ${promotions} promotions, ${acknowledged} writes acknowledged; ` +
    `digest ${digest.toString(16).padStart(8, '0')}`
  );
};
