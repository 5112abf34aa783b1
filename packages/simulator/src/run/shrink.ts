import { LIVENESS } from '../checkers/liveness.ts';
import { CLIENTS } from '../clients/routed-writer.ts';
import type { ScriptedFault } from '../faults/fault-schedule.ts';
import { type RunOptions, type RunResult, runSeed } from './run-seed.ts';

/** What of a seed's schedule is played: its faults by number, from 1, and who does not write. */
export interface Selection {
  readonly faults: readonly number[];
  readonly silent: readonly string[];
}

export interface Shrunk {
  readonly selection: Selection;
  readonly result: RunResult;
  readonly tries: number;
}

type Asked = Pick<RunOptions, 'seed' | 'profile' | 'plant' | 'story'>;

/** However many faults there are, and however stubborn. */
const TRIES_MAX = 400;

/** Plays a seed with some of its faults and clients; `script` is what it brings when left alone. */
export const playSelection = (
  asked: Asked,
  script: readonly ScriptedFault[],
  { faults, silent }: Selection,
): RunResult =>
  runSeed({
    ...asked,
    script: script.filter((_fault, index) => faults.includes(index + 1)),
    silent,
  });

/** A selection as it was asked for by its words: the seed is played once for its script. */
export const playChosen = (asked: Asked, selection: Selection): RunResult =>
  playSelection(asked, runSeed({ ...asked, story: undefined }).script, selection);

/**
 * Takes faults, what operators do, and clients out of a schedule that breaks a rule, for as long as
 * the same checker still reports. What is left is needed, each part of it (delta debugging).
 */
export const shrink = (asked: Asked, failed: RunResult): Shrunk => {
  const { script, violation } = failed;
  const hosts = new Set(script.flatMap(({ host, other }) => [host ?? '', other ?? '']));
  let best: Shrunk = {
    selection: { faults: script.map((_fault, index) => index + 1), silent: [] },
    result: failed,
    tries: 0,
  };
  let tries = 0;
  const attempt = (selection: Selection): boolean => {
    if (tries >= TRIES_MAX) return false;
    tries += 1;
    const result = playSelection({ ...asked, story: undefined }, script, selection);
    if (result.violation?.checker !== violation?.checker) return false;
    best = { selection, result, tries };
    return true;
  };
  dropFaults(() => best.selection, attempt);
  // A cluster is only whole again when a client from outside is answered.
  const clients = violation?.checker === LIVENESS ? [] : [CLIENTS];
  for (const name of [...clients, ...hosts].filter((one) => one !== ''))
    attempt({ ...best.selection, silent: [...best.selection.silent, name] });
  return { ...best, tries };
};

/** Ever smaller parts are left out, from halves down to single faults, until none can be. */
const dropFaults = (now: () => Selection, attempt: (selection: Selection) => boolean): void => {
  if (attempt({ ...now(), faults: [] })) return;
  let parts = 2;
  for (;;) {
    const { faults } = now();
    const size = Math.ceil(faults.length / parts);
    let isSmaller = false;
    for (let from = 0; from < now().faults.length; ) {
      const { faults: left, silent } = now();
      const without = [...left.slice(0, from), ...left.slice(from + size)];
      if (without.length > 0 && attempt({ faults: without, silent })) isSmaller = true;
      else from += size;
    }
    if (size <= 1 && !isSmaller) return;
    parts = isSmaller ? Math.max(2, parts - 1) : Math.min(parts * 2, now().faults.length);
  }
};
