import type { Brand } from './brand.ts';

/**
 * A byte position in the write-ahead log since 0/0. Only positions of one lineage have an order
 * (see `wal-position.ts`); a bare Lsn is for arithmetic within one timeline.
 */
export type Lsn = Brand<bigint, 'Lsn'>;

export const lsn = (bytes: bigint | number): Lsn => BigInt(bytes) as Lsn;

const LSN_TEXT = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** Reads PostgreSQL's `X/Y` text; undefined when the text is not an LSN. */
export const parseLsn = (text: string): Lsn | undefined => {
  const match = LSN_TEXT.exec(text);
  if (match === null) return undefined;
  const [, high = '', low = ''] = match;
  return ((BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)) as Lsn;
};

/** PostgreSQL's own text, for example `0/3000148`. */
export const formatLsn = (position: Lsn): string =>
  `${(position >> 32n).toString(16)}/${(position & 0xffffffffn).toString(16)}`.toUpperCase();

export const maxLsn = (first: Lsn, ...others: readonly Lsn[]): Lsn =>
  others.reduce((highest, candidate) => (candidate > highest ? candidate : highest), first);
