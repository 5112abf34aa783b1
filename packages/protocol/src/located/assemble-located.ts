import type { Alias, Document, Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Mistake, Place } from '../errors/mistake.ts';
import type { Located, LocatedMap, LocatedScalar } from './located.ts';
import type { ParsedYaml } from './parse-yaml.ts';

/** Limits that only a file made to exhaust us reaches: aliases may multiply what they name. */
const NODES_MAX = 20_000;
const DEPTH_MAX = 40;

interface Work {
  readonly document: Document;
  readonly placeAt: (offset: number) => Place;
  readonly mistakes: Mistake[];
  nodes: number;
}

interface At {
  readonly path: string;
  readonly place: Place;
  readonly depth: number;
}

/** Turns the syntax tree into plain maps, lists and scalars with their places. */
export const assembleLocated = (source: Pick<Work, 'document' | 'placeAt'>): ParsedYaml => {
  const work: Work = { ...source, mistakes: [], nodes: 0 };
  const { contents } = source.document;
  if (contents === null) return { root: undefined, mistakes: [] };
  const root = assemble(work, contents, { path: '', place: work.placeAt(0), depth: 0 });
  return work.mistakes.length > 0
    ? { root: undefined, mistakes: work.mistakes }
    : { root, mistakes: [] };
};

const nothing = (place: Place): LocatedScalar => ({ kind: 'scalar', place, value: null });

const assemble = (work: Work, node: Node | null, at: At): Located => {
  if (node === null) return nothing(at.place);
  work.nodes += 1;
  if (work.nodes > NODES_MAX || at.depth > DEPTH_MAX) {
    // Said once: the same limit is met again on every way back up.
    if (work.nodes !== Infinity) {
      const message = `more than ${NODES_MAX} parts, or more than ${DEPTH_MAX} levels deep`;
      work.mistakes.push({ ...at.place, path: at.path, message });
    }
    work.nodes = Infinity;
    return nothing(at.place);
  }
  if (isAlias(node)) return assembleAlias(work, node, at);
  if (isMap(node)) return assembleMap(work, node, at);
  if (isSeq(node)) return assembleList(work, node, at);
  return isScalar(node) ? assembleScalar(node, at) : nothing(at.place);
};

const assembleAlias = (work: Work, node: Alias, at: At): Located => {
  const target = node.resolve(work.document);
  if (target !== undefined) return assemble(work, target, { ...at, depth: at.depth + 1 });
  work.mistakes.push({
    ...at.place,
    path: at.path,
    message: 'the value begins with * and names no anchor defined above',
    fix: 'put it in quotes if it is text, or define the anchor with & before it is used',
  });
  return nothing(at.place);
};

const assembleList = (work: Work, node: YAMLSeq, at: At): Located => ({
  kind: 'list',
  place: at.place,
  items: node.items.map((item, index) =>
    assemble(work, item as Node | null, {
      path: `${at.path}[${index}]`,
      place: placeOf(work, item as Node | null, at.place),
      depth: at.depth + 1,
    }),
  ),
});

const placeOf = (work: Work, node: Node | null, otherwise: Place): Place => {
  const start = node?.range?.[0];
  return start === undefined ? otherwise : work.placeAt(start);
};

const assembleMap = (work: Work, node: YAMLMap, at: At): LocatedMap => {
  const entries = new Map<string, Located>();
  const merged: Located[] = [];
  for (const pair of node.items as readonly Pair<Node | null, Node | null>[]) {
    const place = placeOf(work, pair.key, at.place);
    const key = keyOf(pair.key);
    const path = at.path === '' ? (key ?? '') : `${at.path}.${key ?? ''}`;
    const value = assemble(work, pair.value, { path, place, depth: at.depth + 1 });
    if (key === undefined) {
      const message = 'a key must be plain text';
      work.mistakes.push({ ...place, path: at.path, message });
    } else if (isMergeKey(pair.key)) {
      merged.push(...(value.kind === 'list' ? value.items : [value]));
    } else if (entries.has(key)) {
      const message = 'the key is given twice in one section';
      work.mistakes.push({ ...place, path, message, fix: 'keep one of them' });
    } else {
      entries.set(key, value);
    }
  }
  // What a merge (`<<: *name`) brings in yields to what is written out.
  for (const [key, value] of merged.flatMap((map) =>
    map.kind === 'map' ? [...map.entries] : [],
  )) {
    if (!entries.has(key)) entries.set(key, value);
  }
  return { kind: 'map', place: at.place, entries };
};

const isMergeKey = (key: Node | null): boolean =>
  isScalar(key) && key.source === '<<' && key.type === 'PLAIN';

/** Keys are the text that was typed: `on` as a key is no boolean. */
const keyOf = (key: Node | null): string | undefined =>
  isScalar(key) ? (key.source ?? String(key.value)) : undefined;

const assembleScalar = (node: Scalar, { place }: At): LocatedScalar => {
  const { value, source } = node;
  if (node.type !== 'PLAIN') return { kind: 'scalar', place, value: String(value) };
  // A lone y or n is text to every other reader of these files.
  const isText = /^[ynYN]$/.test(source ?? '') || (typeof value === 'number' && !isFinite(value));
  return {
    kind: 'scalar',
    place,
    value: isText || !isPlainValue(value) ? (source ?? String(value)) : value,
    source,
  };
};

const isPlainValue = (value: unknown): value is LocatedScalar['value'] =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);
