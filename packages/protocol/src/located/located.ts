import type { Json, JsonObject } from '@matriarch/core';
import type { Place } from '../errors/mistake.ts';

/**
 * What a configuration says, with the place where each part was written. Everything that reads
 * configuration reads this, whether it came from a file, a variable or a document in the store.
 */
export type Located = LocatedMap | LocatedList | LocatedScalar;

export interface LocatedMap {
  readonly kind: 'map';
  readonly place: Place;
  readonly entries: ReadonlyMap<string, Located>;
}

export interface LocatedList {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly Located[];
}

export interface LocatedScalar {
  readonly kind: 'scalar';
  /** Place of the key for values of a map, of the item for items of a list. */
  readonly place: Place;
  readonly value: string | number | boolean | null;
  /** A plain scalar as it was typed; undefined for quoted text and for values from the store. */
  readonly source?: string | undefined;
}

export const emptyMap = (place: Place): LocatedMap => ({ kind: 'map', place, entries: new Map() });

/** A document without places: what came from the store or from a request. */
export const locate = (json: Json, place: Place = {}): Located => {
  if (Array.isArray(json)) {
    return { kind: 'list', place, items: json.map((item: Json) => locate(item, place)) };
  }
  if (typeof json === 'object' && json !== null) {
    const entries = Object.entries(json as JsonObject);
    return {
      kind: 'map',
      place,
      entries: new Map(entries.map(([key, value]) => [key, locate(value, place)])),
    };
  }
  return { kind: 'scalar', place, value: json };
};

export const locateMap = (json: JsonObject, place: Place = {}): LocatedMap => {
  const located = locate(json, place);
  return located.kind === 'map' ? located : emptyMap(place);
};

/** The bare content, without places. */
export const toJson = (located: Located): Json => {
  if (located.kind === 'scalar') return located.value;
  if (located.kind === 'list') return located.items.map(toJson);
  return toJsonObject(located);
};

export const toJsonObject = ({ entries }: LocatedMap): JsonObject =>
  Object.fromEntries(Array.from(entries, ([key, value]) => [key, toJson(value)]));

/** The entry under a path of keys, if there is one. */
export const entryAt = (root: Located, path: readonly string[]): Located | undefined => {
  let current: Located | undefined = root;
  for (const key of path) {
    if (current?.kind !== 'map') return undefined;
    current = current.entries.get(key);
  }
  return current;
};

/** The map with another one laid over it: maps merge, null removes, all else is replaced. */
export const layOver = (under: LocatedMap, over: LocatedMap): LocatedMap => {
  const entries = new Map(under.entries);
  for (const [key, value] of over.entries) {
    const below = entries.get(key);
    if (value.kind === 'scalar' && value.value === null) entries.delete(key);
    else if (value.kind === 'map' && below?.kind === 'map') entries.set(key, layOver(below, value));
    else entries.set(key, value);
  }
  return { ...under, entries };
};

/** The same map with one entry set, the maps on the way to it made where they are missing. */
export const withEntry = (
  root: LocatedMap,
  [key, ...rest]: readonly string[],
  value: Located,
): LocatedMap => {
  if (key === undefined) return root;
  const entries = new Map(root.entries);
  const below = entries.get(key);
  const inner = below?.kind === 'map' ? below : emptyMap(value.place);
  entries.set(key, rest.length === 0 ? value : withEntry(inner, rest, value));
  return { ...root, entries };
};
