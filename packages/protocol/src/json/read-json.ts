import type { Lsn } from '@matriarch/core';
import type { ExactJson, ExactJsonObject } from './exact-json.ts';

/** Small readers for JSON that others wrote: what does not fit counts as absent. */
export const asObject = (value: ExactJson | undefined): ExactJsonObject =>
  isObject(value) ? value : {};

export const isObject = <T extends ExactJson>(
  value: T | undefined,
): value is Extract<T, ExactJsonObject> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isList = (value: ExactJson | undefined): value is readonly ExactJson[] =>
  Array.isArray(value);

export const asList = (value: ExactJson | undefined): readonly ExactJson[] =>
  isList(value) ? value : [];

export const asText = (value: ExactJson | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** An integer, also as text. */
export const asInteger = (value: ExactJson | undefined): number | undefined => {
  const integer = asBigint(value);
  return integer === undefined || !Number.isSafeInteger(Number(integer))
    ? undefined
    : Number(integer);
};

export const asBigint = (value: ExactJson | undefined): bigint | undefined => {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
};

const LSN_MAX = (1n << 64n) - 1n;

/** An LSN as Patroni writes it: bytes since 0/0. */
export const asLsn = (value: ExactJson | undefined): Lsn | undefined => {
  const bytes = asBigint(value);
  return bytes === undefined || bytes < 0n || bytes > LSN_MAX ? undefined : (bytes as Lsn);
};

/** Booleans as the field writes them: true/on/yes/1, also as text. */
export const asBoolean = (value: ExactJson | undefined): boolean | undefined => {
  if (typeof value === 'object') return undefined;
  const word = String(value).toLowerCase();
  if (['true', 'on', 'yes', '1'].includes(word)) return true;
  return ['false', 'off', 'no', '0'].includes(word) ? false : undefined;
};
