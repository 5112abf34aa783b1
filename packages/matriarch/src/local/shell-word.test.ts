/** Words for a shell: a real one reads them and says what it has read. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { formatShellWord } from './shell-word.ts';

const asRead = (word: string): string =>
  execFileSync('sh', ['-c', `printf %s ${formatShellWord(word)}`], { encoding: 'utf8' });

describe('formatShellWord', () => {
  it.each(['a b', "it's", '$HOME', '`id`', 'a"b', 'a\\b', '*', '~', 'a;b', 'ä', '', '#a', 'a&b'])(
    'keeps %j as it is',
    (word) => {
      expect(asRead(word)).toBe(word);
    },
  );

  it('leaves plain paths unquoted', () => {
    expect(formatShellWord('/var/lib/matriarch/a-b_c.1/pgpass')).toBe(
      '/var/lib/matriarch/a-b_c.1/pgpass',
    );
  });
});
