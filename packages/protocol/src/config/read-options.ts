import type { Located } from '../located/located.ts';
import { parseText } from '../located/parsers.ts';
import type { Section } from '../located/section.ts';

/** Which long options of a PostgreSQL program may not be given, because we give them ourselves. */
export interface OptionRules {
  readonly program: string;
  readonly refused: ReadonlySet<string>;
}

export const initdbRules: OptionRules = {
  program: 'initdb',
  refused: new Set(['pgdata', 'nosync', 'no-sync', 'pwfile', 'pwprompt', 'sync-only', 'version']),
};

export const basebackupRules: OptionRules = {
  program: 'pg_basebackup',
  refused: new Set([
    'pgdata',
    'format',
    'wal-method',
    'xlog-method',
    'gzip',
    'dbname',
    'host',
    'port',
    'username',
    'password',
    'version',
  ]),
};

const LONG_OPTION = /^[a-z][a-z0-9-]*$/;

/** One option as it is written: a word, or a word with its value. */
interface Written {
  readonly at: string;
  readonly name: string;
  readonly value: Located | undefined;
  readonly place: Located['place'];
}

/**
 * Options of a program as arguments: `- data-checksums` and `- encoding: UTF8`, or the same as a
 * map, become `--data-checksums` and `--encoding=UTF8`.
 */
export const readOptions = (section: Section, key: string, rules: OptionRules): readonly string[] =>
  collectOptions(section, key).flatMap((option) => {
    const name = option.name.replace(/^--/, '');
    const complain = (message: string, fix: string): readonly string[] => {
      const path = `${section.path}.${option.at}`;
      section.findings.mistakes.push({ ...option.place, path, message, fix });
      return [];
    };
    if (!LONG_OPTION.test(name)) {
      const message = `is not the long name of an option of ${rules.program}`;
      return complain(message, 'write it as in its manual, without the dashes');
    }
    if (rules.refused.has(name)) {
      return complain(`the agent itself gives ${rules.program} the option ${name}`, 'remove it');
    }
    const { value } = option;
    if (value === undefined) return [`--${name}`];
    if (value.kind !== 'scalar')
      return complain(`${name} has no single value`, 'write name: value');
    if (value.value === null || value.value === true) return [`--${name}`];
    if (value.value === false) return [];
    const text = parseText(value);
    return [`--${name}=${text.ok ? text.value : String(value.value)}`];
  });

const collectOptions = (section: Section, key: string): readonly Written[] => {
  const found = section.entry(key);
  if (found === undefined) return [];
  if (found.kind === 'map') return pairs(found, key);
  if (found.kind === 'list') {
    return found.items.flatMap((item, index): readonly Written[] => {
      const at = `${key}[${index}]`;
      if (item.kind === 'map') return pairs(item, at);
      const name = item.kind === 'scalar' ? String(item.value) : '';
      return [{ at, name, value: undefined, place: item.place }];
    });
  }
  section.mistake(key, {
    message: 'is a value, not a list of options',
    fix: 'write one option on each line below it, with "- " before it',
  });
  return [];
};

const pairs = (map: Extract<Located, { kind: 'map' }>, at: string): readonly Written[] =>
  Array.from(map.entries, ([name, value]) => ({
    at: `${at}.${name}`,
    name,
    value,
    place: value.place,
  }));
