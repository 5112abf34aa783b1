/** Texts of requests that become numbers: sizes as in `?lag=`. */
import { describe, expect, it } from 'vitest';
import { parseSizeBytes } from './parse-size.ts';

describe('sizes', () => {
  it.each([
    ['0', 0n],
    ['1048576', 1_048_576n],
    ['16kB', 16_384n],
    ['16KB', 16_384n],
    ['64MB', 67_108_864n],
    ['10 mb', 10_485_760n],
    ['1.5GB', 1_610_612_736n],
    ['2TB', 2_199_023_255_552n],
    ['7B', 7n],
    ['0.1', 0n],
    ['999999999999999999TB', 999_999_999_999_999_999n << 40n],
  ])('%s', (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes);
  });

  it.each(['', ' ', '-1', 'MB', '1e3', '1 2', '10 parsecs', '0x10', '1.', '9'.repeat(19), '1,5MB'])(
    '"%s" is none',
    (text) => {
      expect(parseSizeBytes(text)).toBeUndefined();
    },
  );
});
