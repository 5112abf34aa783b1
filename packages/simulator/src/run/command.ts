import { parseArgs } from 'node:util';
import { isProfileName, profiles } from '../faults/profiles.ts';
import { plants } from '../plants/table.ts';
import type { Plant } from '../plants/plant.ts';
import { formatSeconds } from '../world/journal.ts';
import { type RunResult, runSeed } from './run-seed.ts';

export interface CommandIo {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  readonly nowMs: () => number;
}

const USAGE = `usage: npm run sim -- --seed N|--seeds A..B [--profile NAME] [--plant NAME] [--list]

  --seed N        replays one seed and tells what happened
  --seeds A..B    runs many, both ends included, until the first violation
  --profile NAME  which faults: ${Object.keys(profiles).join(', ')} (default mixed)
  --plant NAME    with a planted mistake, which a checker must catch
  --all           tells of routine work as well
  --list          tells what profiles and plants there are
`;

const SEEDS_MAX = 10_000_000;
const PROGRESS_EVERY_MS = 2_000;

interface Order {
  readonly first: number;
  readonly last: number;
  readonly profile: (typeof profiles)[keyof typeof profiles];
  readonly plant: Plant | undefined;
  readonly tellsAll: boolean;
}

/** Exit status: 0 nothing found, 1 a violation, 2 wrong usage. */
export const runCommand = (words: readonly string[], io: CommandIo): number => {
  const parsed = parseOrder(words, io);
  if (typeof parsed === 'number') return parsed;
  return parsed.first === parsed.last ? tellOne(parsed, io) : runMany(parsed, io);
};

const OPTIONS = {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  profile: { type: 'string', default: 'mixed' },
  plant: { type: 'string' },
  all: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
} as const;

const parseOrder = (words: readonly string[], io: CommandIo): Order | number => {
  const mistakes: string[] = [];
  const values = readWords(words, mistakes);
  if (values?.list === true) return list(io);
  const range = parseRange(values?.seeds ?? values?.seed);
  if (values !== undefined && range === undefined)
    mistakes.push(`--seed takes a number, --seeds takes A..B with at most ${SEEDS_MAX} seeds`);
  const profile = values?.profile ?? 'mixed';
  if (!isProfileName(profile))
    mistakes.push(`--profile ${profile} is none of ${Object.keys(profiles).join(', ')}`);
  const plant = plants.find(({ name }) => name === values?.plant);
  if (values?.plant !== undefined && plant === undefined)
    mistakes.push(
      `--plant ${values.plant} is none of ${plants.map(({ name }) => name).join(', ')}`,
    );
  if (mistakes.length > 0 || range === undefined || !isProfileName(profile)) {
    for (const mistake of mistakes) io.complain(mistake);
    io.complain(USAGE);
    return 2;
  }
  return { ...range, profile: profiles[profile], plant, tellsAll: values?.all === true };
};

const readWords = (words: readonly string[], mistakes: string[]) => {
  try {
    return parseArgs({ args: [...words], options: OPTIONS, strict: true }).values;
  } catch (error) {
    mistakes.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
};

const list = (io: CommandIo): number => {
  for (const [name, { says }] of Object.entries(profiles)) io.print(`profile ${name}: ${says}`);
  for (const { name, says, caughtBy } of plants)
    io.print(`plant ${name}: ${says}; caught by ${caughtBy.join(' or ')}`);
  return 0;
};

const parseRange = (
  text: string | undefined,
): { readonly first: number; readonly last: number } | undefined => {
  const match = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(text ?? '');
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return last < first || last - first >= SEEDS_MAX ? undefined : { first, last };
};

const tellOne = ({ first: seed, profile, plant, tellsAll }: Order, io: CommandIo): number => {
  const result = runSeed({ seed, profile, plant, story: { tell: io.print, tellsAll } });
  io.print(summarise(result));
  return result.violation === undefined ? 0 : 1;
};

const runMany = ({ first, last, profile, plant }: Order, io: CommandIo): number => {
  const startedAt = io.nowMs();
  let toldAt = startedAt;
  for (let seed = first; seed <= last; seed += 1) {
    const result = runSeed({ seed, profile, plant });
    if (result.violation !== undefined) {
      io.print(summarise(result));
      io.print(`replay it with --seed ${seed} and the same other words`);
      return 1;
    }
    const now = io.nowMs();
    if (now - toldAt < PROGRESS_EVERY_MS && seed < last) continue;
    toldAt = now;
    const done = seed - first + 1;
    const rate = (done / ((now - startedAt) / 1_000)).toFixed(1);
    io.print(`${done} of ${last - first + 1} seeds, ${rate} per second, no violation`);
  }
  return 0;
};

/** One line for one run. */
export const summarise = (result: RunResult): string => {
  const { seed, violation, hash, events, faults, acknowledged, promotions } = result;
  const figures =
    `${faults} faults, ${promotions} promotions, ${acknowledged} writes acknowledged, ` +
    `${events} events, log hash ${hash}`;
  if (violation === undefined) return `seed ${seed}: nothing wrong; ${figures}`;
  const { checker, host, at, message } = violation;
  return `seed ${seed}: ${checker} at ${formatSeconds(at).trim()}: ${host} ${message}; ${figures}`;
};
