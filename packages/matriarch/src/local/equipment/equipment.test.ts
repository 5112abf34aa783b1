import { expect, it } from 'vitest';
import { findMissing } from './main.ts';

it('says of each program that is missing which package brings it', () => {
  expect(findMissing({ sh: 'dash', 'no-such-1': 'one', 'no-such-2': 'two' })).toEqual([
    'no-such-1 is not installed: apt-get install one',
    'no-such-2 is not installed: apt-get install two',
  ]);
});
