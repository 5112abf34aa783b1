/**
 * Changing the cluster-wide configuration in part, as Patroni's PATCH of it does: maps merge, null
 * removes, lists are replaced, and 100 is no other value than "100". What the change does not name
 * stays, also what we do not know.
 */
import type { Json, JsonObject } from '@matriarch/core';
import { isObject } from '../json/read-json.ts';

const isSame = (a: Json | undefined, b: Json | undefined): boolean => {
  if (a === undefined || b === undefined) return a === b;
  const isPlain = typeof a !== 'object' && typeof b !== 'object';
  return isPlain ? String(a) === String(b) : JSON.stringify(a) === JSON.stringify(b);
};

const withoutNulls = (value: Json): Json =>
  isObject(value)
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([, inner]) => inner !== null)
          .map(([key, inner]) => [key, withoutNulls(inner)]),
      )
    : value;

/** The document with the change laid over it; the very same object when it changes nothing. */
export const mergeConfig = (document: JsonObject, change: JsonObject): JsonObject => {
  const merged = new Map(Object.entries(document));
  let isChanged = false;
  for (const [key, value] of Object.entries(change)) {
    const before = merged.get(key);
    const after =
      isObject(value) && isObject(before) ? mergeConfig(before, value) : withoutNulls(value);
    if (value === null ? !merged.has(key) : after === before || isSame(after, before)) continue;
    isChanged = true;
    if (value === null) merged.delete(key);
    else merged.set(key, after);
  }
  return isChanged ? Object.fromEntries(merged) : document;
};

/** The other document in its place, without nulls; the very same object when nothing differs. */
export const replaceConfig = (document: JsonObject, next: JsonObject): JsonObject => {
  const made = mergeConfig({}, next);
  return Object.keys(diffConfig(document, made)).length === 0 ? document : made;
};

/** The change that makes `after` of `before`, and leaves alone what both do not speak of. */
export const diffConfig = (before: JsonObject, after: JsonObject): JsonObject => {
  const change = new Map<string, Json>();
  for (const key of Object.keys(before)) if (!(key in after)) change.set(key, null);
  for (const [key, value] of Object.entries(after)) {
    const old = before[key];
    const inner = isObject(old) && isObject(value) ? diffConfig(old, value) : value;
    const isNothing =
      isObject(old) && isObject(value) && Object.keys(inner as JsonObject).length === 0;
    if (!isNothing && !isSame(old, value)) change.set(key, inner);
  }
  return Object.fromEntries(change);
};

const show = (value: Json | undefined): string => {
  if (value === undefined) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** What differs, value by value, for people: `ttl 5 → 10`. */
export const describeConfigChange = (
  before: JsonObject,
  after: JsonObject,
  path = '',
): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => {
    const [old, current] = [before[key], after[key]];
    if (isSame(old, current)) return [];
    const name = `${path}${key}`;
    if (isObject(old) || isObject(current)) {
      const [from, to] = [isObject(old) ? old : {}, isObject(current) ? current : {}];
      return describeConfigChange(from, to, `${name}.`);
    }
    return [`${name} ${show(old)} → ${show(current)}`];
  });
