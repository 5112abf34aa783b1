import { profiles } from '../faults/profiles.ts';
import { Crew, type CrewEnd, type StartWorker } from '../many/crew.ts';
import { type Progress, formatBar, formatProgress, formatTotals } from '../many/progress.ts';
import { formatCoverage } from '../world/coverage.ts';
import { plants } from '../plants/table.ts';
import { type Order, USAGE, parseOrder } from './order.ts';
import { type RunResult, runSeed } from './run-seed.ts';
import { playChosen, playSelection, shrink } from './shrink.ts';
import { summarise } from './summary.ts';

export interface CommandIo {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  /** Writes over what it wrote last; undefined: nobody sits there. */
  readonly rewrite: ((line: string) => void) | undefined;
  readonly nowMs: () => number;
  readonly startWorker: StartWorker;
  /** Ctrl-C; what comes back ends the listening: from then on it ends the program. */
  readonly onInterrupt: (stop: () => void) => () => void;
  /** Exit status: 0 nothing found, 1 a violation, 2 wrong usage, 130 interrupted. */
  readonly end: (status: number) => void;
}

const TELL_EVERY_MS = 2_000;
const REWRITE_EVERY_MS = 100;

export const runCommand = (words: readonly string[], io: CommandIo): void => {
  const parsed = parseOrder(words);
  switch (parsed.kind) {
    case 'mistaken':
      for (const mistake of parsed.mistakes) io.complain(mistake);
      io.complain(USAGE);
      return io.end(2);
    case 'list':
      list(io);
      return io.end(0);
    case 'play': {
      const { order } = parsed;
      return order.first === order.last ? tellOne(order, io) : playMany(order, io);
    }
  }
};

const list = (io: CommandIo): void => {
  for (const [name, { says }] of Object.entries(profiles)) io.print(`profile ${name}: ${says}`);
  for (const { name, says, caughtBy } of plants)
    io.print(`plant ${name}: ${says}; caught by ${caughtBy.join(' or ')}`);
};

const worldOf = (seed: number, { profile, plant }: Order) => ({
  seed,
  profile: profiles[profile],
  plant: plants.find(({ name }) => name === plant),
  script: plants.find(({ name }) => name === plant)?.scene,
});

const tellOne = (order: Order, io: CommandIo): void => {
  const { first: seed, tellsAll, selection } = order;
  const asked = { ...worldOf(seed, order), story: { tell: io.print, tellsAll } };
  const result = selection === undefined ? runSeed(asked) : playChosen(asked, selection);
  io.print(summarise(result));
  io.end(result.violation === undefined ? 0 : 1);
};

const playMany = (order: Order, io: CommandIo): void => {
  const { first, last, workers } = order;
  const startedAt = io.nowMs();
  const wanted = last - first + 1;
  const progressOf = (totals: Progress['totals']): Progress => ({
    totals,
    wanted,
    elapsedMs: io.nowMs() - startedAt,
  });
  let toldAt = startedAt;
  let isInterrupted = false;
  const crew = new Crew({
    choice: order,
    seeds: order,
    workers: Math.min(workers, wanted),
    startWorker: io.startWorker,
    onProgress: (totals) => {
      const now = io.nowMs();
      if (now - toldAt < (io.rewrite === undefined ? TELL_EVERY_MS : REWRITE_EVERY_MS)) return;
      toldAt = now;
      if (io.rewrite === undefined) io.print(formatProgress(progressOf(totals)));
      else io.rewrite(formatBar(progressOf(totals)));
    },
    onEnd: (end) => {
      // A second Ctrl-C, or the same one by another way, must not cut off what is told now.
      if (!isInterrupted) stopListening();
      io.rewrite?.('');
      for (const line of formatCoverage(end.totals.coverage)) io.print(line);
      io.print(formatTotals(progressOf(end.totals)));
      io.end(isInterrupted ? INTERRUPTED : tellEnd(end, order, io));
    },
  });
  const stopListening = io.onInterrupt(() => {
    isInterrupted = true;
    crew.interrupt();
  });
  crew.start();
};

/** As a shell has it for a program that SIGINT has ended. */
const INTERRUPTED = 130;

const tellEnd = ({ failure, broken }: CrewEnd, order: Order, io: CommandIo): number => {
  if (broken !== undefined) io.complain(broken);
  if (failure === undefined) {
    if (broken === undefined) io.print('no violation');
    return broken === undefined ? 0 : 1;
  }
  io.print(summarise(failure));
  tellShrunk(failure, order, io);
  return 1;
};

/** The shortest schedule that still ends the same way, as a story. */
const tellShrunk = (failure: RunResult, order: Order, io: CommandIo): void => {
  const { seed, faults } = failure;
  const asked = worldOf(seed, order);
  const plant = order.plant === undefined ? '' : ` --plant ${order.plant}`;
  const words = `--seed ${seed} --profile ${order.profile}${plant}`;
  io.print(`replay it with ${words}`);
  const { selection, tries } = shrink(asked, failure);
  const silent = selection.silent.length === 0 ? '' : ` --silent ${selection.silent.join(',')}`;
  io.print(`\nof ${faults} faults ${selection.faults.length} are needed (${tries} tries):\n`);
  const story = { tell: io.print, tellsAll: false };
  io.print(summarise(playSelection({ ...asked, story }, failure.script, selection)));
  io.print(`replay it with ${words} --faults ${selection.faults.join(',')}${silent}`);
};
