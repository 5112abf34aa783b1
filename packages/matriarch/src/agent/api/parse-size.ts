const UNIT_BYTES: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 1n,
  kb: 1n << 10n,
  mb: 1n << 20n,
  gb: 1n << 30n,
  tb: 1n << 40n,
};

const SIZE_TEXT = /^\s*(\d{1,18})(?:\.(\d{1,9}))?\s*([a-z]*)\s*$/i;

/**
 * Reads bytes as in `?lag=`: `1048576`, `16kB`, `1.5 GB`. Undefined when the text is no size. Units
 * may be written in any case: Patroni takes `16KB` for no limit at all.
 */
export const parseSizeBytes = (text: string): bigint | undefined => {
  const match = SIZE_TEXT.exec(text);
  if (match === null) return undefined;
  const [, whole = '', fraction = '', unit = ''] = match;
  const bytes = UNIT_BYTES[unit.toLowerCase()];
  if (bytes === undefined) return undefined;
  const scale = 10n ** BigInt(fraction.length);
  return (BigInt(`${whole}${fraction}`) * bytes) / scale;
};
