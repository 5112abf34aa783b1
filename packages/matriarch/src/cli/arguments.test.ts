/** Arguments behind a verb: what is read from them, and what is said of those that do not fit. */
import { describe, expect, it } from 'vitest';
import { parseArguments, textOf, textsOf } from './arguments.ts';

const options = {
  cluster: { type: 'string', short: 'c' },
  format: { type: 'string', default: 'pretty' },
  force: { type: 'boolean' },
} as const;

describe('parseArguments', () => {
  it('reads options by their long and short names, with defaults', () => {
    expect(parseArguments(['-c', 'a.yaml', '--force'], { options })).toEqual({
      kind: 'parsed',
      values: { cluster: 'a.yaml', force: true, format: 'pretty' },
      positionals: [],
    });
    expect(parseArguments(['--cluster=b.yaml', '--format', 'json'], { options })).toMatchObject({
      values: { cluster: 'b.yaml', format: 'json' },
    });
  });

  it('takes so many words as it is told', () => {
    expect(parseArguments(['a.yaml'], { options, positionals: 1 })).toMatchObject({
      kind: 'parsed',
      positionals: ['a.yaml'],
    });
    expect(parseArguments(['a.yaml', 'b.yaml'], { options, positionals: 1 })).toEqual({
      kind: 'wrong',
      message: '"b.yaml" is one word too many',
    });
  });

  it('takes no words when it is told of none', () => {
    expect(parseArguments(['a.yaml'], { options })).toEqual({
      kind: 'wrong',
      message: '"a.yaml" is one word too many',
    });
  });

  it.each([
    [['--cluser', 'a.yaml'], /^there is no option "--cluser"; did you mean "--cluster"\?$/],
    [['-x'], /^there is no option "-x"$/],
    [['--cluster'], /--cluster/],
    [['--force=yes'], /--force/],
  ])('says what is wrong with %j', (args, message) => {
    const parsed = parseArguments(args, { options });
    expect(parsed).toMatchObject({ kind: 'wrong' });
    expect(parsed.kind === 'wrong' ? parsed.message : '').toMatch(message);
  });
});

describe('textsOf', () => {
  it('answers everything that a repeated option was given', () => {
    const repeated = { set: { type: 'string', short: 's', multiple: true } } as const;
    const parsed = parseArguments(['-s', 'a=1', '--set=b=2'], { options: repeated });
    const set = parsed.kind === 'parsed' ? parsed.values['set'] : undefined;
    expect(textsOf(set)).toEqual(['a=1', 'b=2']);
    expect([textsOf(undefined), textsOf('x'), textsOf(true)]).toEqual([[], [], []]);
  });
});

describe('textOf', () => {
  it('answers texts only', () => {
    expect([textOf('x'), textOf(true), textOf(undefined)]).toEqual(['x', undefined, undefined]);
  });
});
