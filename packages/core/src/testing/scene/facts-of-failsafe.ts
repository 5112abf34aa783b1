/** Lines about a store outage that promises bridge, and about what we have promised. */
import type { LeaseTerm } from '../../model/store.ts';
import { type LineReader, NOW } from './line.ts';
import { type Facts, type SceneDraft, asMember } from './scene-draft.ts';

/** `failsafe: names alpha, names bravo, asked 2s ago, until in 20s` */
const readFailsafe = (line: LineReader, { state }: SceneDraft): void => {
  const names = line.texts('names').map(asMember);
  state.failsafe = {
    ...state.failsafe,
    named: names.length === 0 ? undefined : names,
    askedAt: line.time('asked'),
    until: line.time('until'),
  };
};

const readGiven = (line: LineReader, { state }: SceneDraft): void => {
  const until = line.time('until') ?? NOW;
  const { promised } = state.failsafe;
  state.failsafe = { ...state.failsafe, promised: { ...promised, [line.line.name]: until } };
};

const readMissing = (line: LineReader, { state }: SceneDraft): void => {
  const since = line.time('since') ?? NOW;
  const { missingSince } = state.failsafe;
  state.failsafe = {
    ...state.failsafe,
    missingSince: { ...missingSince, [line.line.name]: since },
  };
};

const readOwn = (line: LineReader, { state }: SceneDraft): void => {
  const promise = {
    to: asMember(line.line.name),
    term: (line.number('term') ?? 40) as LeaseTerm,
    ttlMs: 30_000,
    until: line.time('until') ?? NOW,
  };
  const toAnswer = line.has('not on disk yet') ? ['1'] : [];
  state.failsafe = { ...state.failsafe, promise, toAnswer };
};

export const factsOfFailsafe: Facts = {
  failsafe: { read: readFailsafe },
  'promise from': { of: 'member', read: readGiven },
  missing: { of: 'member', read: readMissing },
  'promise to': { of: 'member', read: readOwn },
};
