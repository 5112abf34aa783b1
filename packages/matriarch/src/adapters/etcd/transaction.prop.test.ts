/**
 * The range of a prefix holds exactly the keys that begin with it, for any keys: byte order, as
 * etcd compares, on UTF-8. Numbers and lease ids are converted or refused, never bent.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leaseIdOf, numberOf, rangeOf } from './transaction.ts';

const isInRange = (key: string, prefix: string): boolean => {
  const { key: from, rangeEnd } = rangeOf(prefix);
  const bytes = Buffer.from(key, 'utf8');
  const hasNoEnd = rangeEnd.length === 1 && rangeEnd[0] === 0;
  return Buffer.compare(bytes, from) >= 0 && (hasNoEnd || Buffer.compare(bytes, rangeEnd) < 0);
};

const text = fc.string({ unit: 'binary', maxLength: 8 });
/** etcd has no empty keys, and no half characters come from a configuration. */
const key = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 });

describe('the range of a prefix', () => {
  it('holds every key that begins with the prefix', () => {
    fc.assert(
      fc.property(key, text, (prefix, rest) => {
        expect(isInRange(`${prefix}${rest}`, prefix)).toBe(true);
      }),
    );
  });

  it('holds no other key', () => {
    fc.assert(
      fc.property(key, key, (prefix, other) => {
        expect(isInRange(other, prefix)).toBe(other.startsWith(prefix));
      }),
    );
  });

  it('holds the neighbours of a cluster apart', () => {
    expect(isInRange('/service/demo/leader', '/service/demo/')).toBe(true);
    expect(isInRange('/service/demo2/leader', '/service/demo/')).toBe(false);
    expect(isInRange('/service/demo', '/service/demo/')).toBe(false);
  });

  it('holds all keys when the prefix is empty', () => {
    fc.assert(
      fc.property(key, (any) => {
        expect(isInRange(any, '')).toBe(true);
      }),
    );
  });
});

describe('a number from the store', () => {
  it('is converted as it is, or refused when it does not fit', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (integer) => {
        expect(numberOf(BigInt(integer))).toBe(integer);
      }),
    );
    expect(() => numberOf(2n ** 53n)).toThrow('does not fit');
    expect(() => numberOf(-(2n ** 53n))).toThrow('does not fit');
  });
});

describe('a lease id', () => {
  it('is a positive decimal', () => {
    expect(leaseIdOf('7587889483628398853')).toBe(7587889483628398853n);
    for (const wrong of ['', '0', '-1', '0x1f', '1.5', 'abc', '12345678901234567890']) {
      expect(() => leaseIdOf(wrong), wrong).toThrow('is no lease id');
    }
  });
});
