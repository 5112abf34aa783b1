import type { Mistake, Place, Warning } from '../errors/mistake.ts';
import { sortMistakes } from '../errors/mistake.ts';
import type { Located, LocatedList, LocatedMap, LocatedScalar } from './located.ts';
import { emptyMap } from './located.ts';
import { findNearest } from './nearest.ts';
import type { Parser } from './parsers.ts';

/** A key we know and do not act on: a feature that is not built yet, or one we do not need. */
export interface KnownKey {
  /** Dotted, in the words of the schema; a last part `*_x` or `x_*` stands for a family of keys. */
  readonly path: string;
  /** What the user would miss; undefined when nothing is missed. */
  readonly feature: string | undefined;
}

/** What is found out while a configuration is read. */
export class Findings {
  readonly mistakes: Mistake[] = [];
  readonly warnings: Warning[] = [];
  /** Features that are asked for and not built yet, with the first place that asks. */
  readonly unbuilt = new Map<string, Place>();
  /** Every key that was looked for, in the words of the schema. */
  readonly keys = new Set<string>();
  readonly #known: ReadonlyMap<string, KnownKey>;

  constructor(known: readonly KnownKey[] = []) {
    this.#known = new Map(known.map((key) => [key.path, key]));
  }

  findKnown(path: string): KnownKey | undefined {
    const exact = this.#known.get(path);
    if (exact !== undefined) return exact;
    for (const [pattern, key] of this.#known) {
      const [before, behind] = pattern.split('*');
      if (before === undefined || behind === undefined) continue;
      const rest = path.slice(before.length);
      if (path.startsWith(before) && rest.endsWith(behind) && !rest.includes('.')) return key;
    }
    return undefined;
  }

  knownNamesUnder(schema: string): readonly string[] {
    const prefix = schema === '' ? '' : `${schema}.`;
    return [...this.#known.keys()]
      .filter((path) => path.startsWith(prefix) && !path.includes('*'))
      .map((path) => path.slice(prefix.length))
      .filter((name) => !name.includes('.'));
  }

  sortedMistakes(): readonly Mistake[] {
    return sortMistakes(this.mistakes);
  }

  sortedWarnings(): readonly Warning[] {
    return sortMistakes(this.warnings);
  }
}

export interface SectionPosition {
  /** As the user reads it: `bootstrap.dcs.postgresql`. */
  readonly path: string;
  /** As the table of known keys names it: `dynamic.postgresql`. */
  readonly schema: string;
}

/** How much of a mistaken value is repeated to the user. */
const GIVEN_LENGTH_MAX = 60;

export const describeGiven = (located: Located): string => {
  if (located.kind === 'map') return 'a section';
  if (located.kind === 'list') return 'a list';
  const text = maskSecrets(located.source ?? String(located.value));
  const shown = text.length > GIVEN_LENGTH_MAX ? `${text.slice(0, GIVEN_LENGTH_MAX)}…` : text;
  return JSON.stringify(shown);
};

/** Passwords that stand inside other values: in URLs, connection strings and pg_hba options. */
const maskSecrets = (text: string): string =>
  text
    .replace(/[^\s/,'"]*:[^\s@,]*@/g, '…@')
    .replace(/((?:pass|secret)\w*\s*=\s*)("[^"]*"|'[^']*'|\S+)/gi, '$1…');

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

const isNull = (located: Located): boolean => located.kind === 'scalar' && located.value === null;

/**
 * One map of a configuration while it is read. Each look for a key makes it a known one, so that
 * `finish` can tell which keys nobody knows. A value that cannot be read is a mistake in the
 * findings and counts as absent here: reading goes on and finds the others.
 */
export class Section {
  readonly path: string;
  readonly place: Place;
  readonly findings: Findings;
  readonly #schema: string;
  readonly #map: LocatedMap;
  readonly #looked = new Set<string>();

  constructor(map: LocatedMap, position: SectionPosition, findings: Findings) {
    this.#map = map;
    this.place = map.place;
    this.path = position.path;
    this.#schema = position.schema;
    this.findings = findings;
  }

  /** The entry as it is written; undefined when it is absent or null. */
  entry(key: string): Located | undefined {
    this.#looked.add(key);
    this.findings.keys.add(join(this.#schema, key));
    const found = this.#map.entries.get(key);
    return found === undefined || isNull(found) ? undefined : found;
  }

  has(key: string): boolean {
    return this.entry(key) !== undefined;
  }

  pathOf(key: string): string {
    return join(this.path, key);
  }

  names(): readonly string[] {
    return [...this.#map.entries.keys()];
  }

  placeOf(key: string): Place {
    return this.#map.entries.get(key)?.place ?? this.place;
  }

  mistake(key: string, what: Pick<Mistake, 'message' | 'fix' | 'given' | 'allowed'>): void {
    this.findings.mistakes.push({ ...this.placeOf(key), path: this.pathOf(key), ...what });
  }

  warn(
    key: string,
    what: Pick<Mistake, 'message' | 'fix' | 'given' | 'allowed' | 'nearest'>,
  ): void {
    this.findings.warnings.push({ ...this.placeOf(key), path: this.pathOf(key), ...what });
  }

  value<T>(key: string, parser: Parser<T>): T | undefined {
    return this.#read(key, parser, describeGiven);
  }

  /** A value that is never repeated in a message, because it is or may hold a secret. */
  secret<T>(key: string, parser: Parser<T>): T | undefined {
    return this.#read(key, parser, () => undefined);
  }

  required<T>(key: string, parser: Parser<T>, example: string): T | undefined {
    if (!this.has(key)) {
      this.mistake(key, { message: 'is missing', fix: `write for example ${key}: ${example}` });
      return undefined;
    }
    return this.value(key, parser);
  }

  /** The section under a key; an empty one when it is absent or no section. */
  section(key: string): Section {
    const found = this.entry(key);
    if (found !== undefined && found.kind !== 'map') {
      this.mistake(key, {
        message: found.kind === 'list' ? 'is a list, not a section' : 'is a value, not a section',
        fix: 'write its settings below it, indented, as key: value',
      });
    }
    const map = found?.kind === 'map' ? found : emptyMap(this.placeOf(key));
    const position = { path: this.pathOf(key), schema: join(this.#schema, key) };
    return new Section(map, position, this.findings);
  }

  /** A section without entries, for a key that stands for all its defaults. */
  emptySection(key: string): Section {
    return this.nested(emptyMap(this.placeOf(key)), {
      path: `.${key}`,
      schema: `.${key}`,
    });
  }

  /** A section for one item of a list, or for a map under a key that only the user knows. */
  nested(map: LocatedMap, name: { readonly path: string; readonly schema: string }): Section {
    const path = this.path === '' ? name.path.replace(/^\./, '') : `${this.path}${name.path}`;
    const schema = `${this.#schema}${name.schema}`;
    return new Section(map, { path, schema }, this.findings);
  }

  list(key: string): LocatedList | undefined {
    const found = this.entry(key);
    if (found === undefined || found.kind === 'list') return found;
    this.mistake(key, {
      message: found.kind === 'map' ? 'is a section, not a list' : 'is a value, not a list',
      fix: 'write one item on each line below it, with "- " before it',
    });
    return undefined;
  }

  /** A list whose items are read by one parser. */
  values<T>(key: string, parser: Parser<T>): readonly T[] | undefined {
    const list = this.list(key);
    return list === undefined ? undefined : this.items(key, list, parser);
  }

  items<T>(key: string, list: LocatedList, parser: Parser<T>): readonly T[] {
    return list.items.flatMap((item, index) => {
      const parsed = this.#parse(`${key}[${index}]`, item, { parser, describe: describeGiven });
      return parsed === undefined ? [] : [parsed];
    });
  }

  /** Warns of keys nobody has looked for; collects the features that are known and not built. */
  finish(): void {
    for (const [key, located] of this.#map.entries) {
      if (this.#looked.has(key)) continue;
      const known = this.findings.findKnown(join(this.#schema, key));
      if (known === undefined) this.#warnOfUnknown(key);
      else if (known.feature !== undefined && isUsed(located)) {
        const { unbuilt } = this.findings;
        if (!unbuilt.has(known.feature)) unbuilt.set(known.feature, located.place);
      }
    }
  }

  #warnOfUnknown(key: string): void {
    const known = [...this.#looked, ...this.findings.knownNamesUnder(this.#schema)];
    const nearest = findNearest(key, known);
    const fix = nearest === undefined ? 'it has no effect' : `did you mean "${nearest}"?`;
    this.warn(key, { message: 'is not a known key', fix, nearest });
  }

  #read<T>(
    key: string,
    parser: Parser<T>,
    describe: (located: Located) => string | undefined,
  ): T | undefined {
    const found = this.entry(key);
    return found === undefined ? undefined : this.#parse(key, found, { parser, describe });
  }

  #parse<T>(
    key: string,
    located: Located,
    how: {
      readonly parser: Parser<T>;
      readonly describe: (located: Located) => string | undefined;
    },
  ): T | undefined {
    const parsed = how.parser(located.kind === 'scalar' ? located : noScalar);
    if (located.kind === 'scalar' && parsed.ok) return parsed.value;
    const allowed = parsed.ok ? 'a single value' : parsed.allowed;
    const given = how.describe(located);
    const shown = given ?? (located.kind === 'scalar' ? 'the value' : describeGiven(located));
    this.findings.mistakes.push({
      ...located.place,
      path: this.pathOf(key),
      given,
      allowed,
      message: `${shown} is not ${allowed}`,
      fix: parsed.ok ? undefined : parsed.fix,
    });
    return undefined;
  }
}

/** Stands for a list or section where a single value is wanted: no parser accepts it as one. */
const noScalar: Pick<LocatedScalar, 'value'> = { value: '' };

/** Whether a setting asks for anything: off, nothing and empty do not. */
const isUsed = (located: Located): boolean => {
  if (located.kind === 'list') return located.items.length > 0;
  if (located.kind === 'map') return [...located.entries.values()].some(isUsed);
  const word = String(located.value).toLowerCase();
  return !['null', 'false', 'off', 'no', '0', ''].includes(word);
};
