import { parseArgs } from 'node:util';
import { type ProfileName, isProfileName, profiles } from '../faults/profiles.ts';
import { plants } from '../plants/table.ts';
import type { Selection } from './shrink.ts';

export const USAGE = `usage: npm run sim -- --seed N|--seeds A..B [--profile NAME] [--plant NAME]
       npm run sim -- --seed N --faults A,B,C [--silent A,B]
       npm run sim -- --list

  --seed N        replays one seed and tells what happened
  --seeds A..B    plays many, both ends included, until the first violation
  --workers N     how many of them at a time (default 1); what is found does not depend on it
  --profile NAME  which faults: ${Object.keys(profiles).join(', ')} (default mixed)
  --plant NAME    with a planted mistake, which a checker must catch
  --faults A,B    with these of the seed's faults and no others, by their numbers in its story
  --silent A,B    the clients of these members do not write; clients: the one from outside
  --all           tells of routine work as well
  --list          tells what profiles and plants there are
`;

const SEEDS_MAX = 10_000_000;
const WORKERS_MAX = 256;

export interface Order {
  readonly first: number;
  readonly last: number;
  readonly profile: ProfileName;
  readonly plant: string | undefined;
  readonly workers: number;
  readonly tellsAll: boolean;
  /** Only a part of the seed's schedule; undefined: all of it. */
  readonly selection: Selection | undefined;
}

export type Parsed =
  | { readonly kind: 'play'; readonly order: Order }
  | { readonly kind: 'list' }
  | { readonly kind: 'mistaken'; readonly mistakes: readonly string[] };

const OPTIONS = {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  workers: { type: 'string', default: '1' },
  profile: { type: 'string', default: 'mixed' },
  plant: { type: 'string' },
  faults: { type: 'string' },
  silent: { type: 'string' },
  all: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
} as const;

type Words = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

export const parseOrder = (words: readonly string[]): Parsed => {
  let values: Words;
  try {
    values = parseArgs({ args: [...words], options: OPTIONS, strict: true }).values;
  } catch (error) {
    return { kind: 'mistaken', mistakes: [error instanceof Error ? error.message : String(error)] };
  }
  if (values.list) return { kind: 'list' };
  const mistakes: string[] = [];
  const range = parseRange(values.seeds ?? values.seed);
  if (range === undefined)
    mistakes.push(`--seed takes a number, --seeds takes A..B with at most ${SEEDS_MAX} seeds`);
  const { profile, plant } = values;
  if (!isProfileName(profile))
    mistakes.push(`--profile ${profile} is none of ${Object.keys(profiles).join(', ')}`);
  if (plant !== undefined && !plants.some(({ name }) => name === plant))
    mistakes.push(`--plant ${plant} is none of ${plants.map(({ name }) => name).join(', ')}`);
  const workers = /^\d{1,3}$/.test(values.workers) ? Number(values.workers) : 0;
  if (workers < 1 || workers > WORKERS_MAX)
    mistakes.push(`--workers ${values.workers} is no number from 1 to ${WORKERS_MAX}`);
  const selection = parseSelection(values.faults, values.silent);
  if (selection === 'mistaken' || (selection !== undefined && range?.first !== range?.last))
    mistakes.push('--faults takes numbers, --silent names, for one --seed');
  if (
    mistakes.length > 0 ||
    selection === 'mistaken' ||
    range === undefined ||
    !isProfileName(profile)
  )
    return { kind: 'mistaken', mistakes };
  const order = { ...range, profile, plant, workers, tellsAll: values.all, selection };
  return { kind: 'play', order };
};

const parseSelection = (
  faults: string | undefined,
  silent: string | undefined,
): Selection | undefined | 'mistaken' => {
  if (faults === undefined && silent === undefined) return undefined;
  if (faults === undefined || !/^(?:|\d+(?:,\d+)*)$/.test(faults)) return 'mistaken';
  const numbers = faults === '' ? [] : faults.split(',').map(Number);
  return { faults: numbers, silent: silent?.split(',') ?? [] };
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
