/*
 * Shows how LSNs are read and written: PostgreSQL's own text and back, and nothing else is taken for
 * one.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLsn, lsn, maxLsn, parseLsn } from './lsn.ts';

describe('parseLsn', () => {
  it.each([
    ['0/0', 0n],
    ['0/3000148', 0x3000148n],
    ['16/B374D848', 0x16b374d848n],
    ['ffffffff/FFFFFFFF', 0xffffffffffffffffn],
    ['1/0', 0x100000000n],
  ])('reads %s', (text, bytes) => {
    expect(parseLsn(text)).toBe(bytes);
  });

  it.each([
    '',
    '/',
    '0',
    '0/',
    '/0',
    '0/0/0',
    ' 0/0',
    '0/0 ',
    '0/0\n',
    '0/G',
    '123456789/0',
    '-1/0',
    '0x1/0',
  ])('does not take %j for one', (text) => {
    expect(parseLsn(text)).toBeUndefined();
  });

  it('reads whatever formatLsn writes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (bytes) => {
        expect(parseLsn(formatLsn(lsn(bytes)))).toBe(bytes);
      }),
    );
  });
});

describe('formatLsn', () => {
  it('writes upper case and no leading zeros, as PostgreSQL does', () => {
    expect(formatLsn(lsn(0x16b374d848n))).toBe('16/B374D848');
    expect(formatLsn(lsn(0x0a00000001n))).toBe('A/1');
  });
});

describe('maxLsn', () => {
  it('gives the highest, wherever it stands', () => {
    expect(maxLsn(lsn(2), lsn(1), lsn(3), lsn(3))).toBe(3n);
    expect(maxLsn(lsn(2))).toBe(2n);
  });
});
