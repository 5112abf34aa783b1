/**
 * The ways in which a person changes the cluster-wide configuration: `key=value`, or a text of YAML
 * to be laid over it or to take its place. As patronictl reads them; mistakes are collected.
 */
import type { Json, JsonObject } from '@matriarch/core';
import { stringify } from 'yaml';
import type { Mistake } from '../errors/mistake.ts';
import { isObject } from '../json/read-json.ts';
import { toJson, toJsonObject } from '../located/located.ts';
import { parseYaml } from '../located/parse-yaml.ts';
import { mergeConfig, replaceConfig } from './merge-config.ts';

/** YAML as patronictl prints it: keys in their order, text in single quotes where it needs them. */
export const formatYaml = (value: Json): string =>
  stringify(value, {
    version: '1.1',
    sortMapEntries: true,
    singleQuote: true,
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });

export interface ConfigText {
  readonly text: string;
  /** The file's name, for messages. */
  readonly file: string;
}

/** `set`: a dotted key and YAML behind a `=`, nothing behind it removes the key. */
export interface ConfigEdit {
  readonly replace?: ConfigText | undefined;
  readonly apply?: ConfigText | undefined;
  readonly set: readonly string[];
  /** `set` below `postgresql.parameters`. */
  readonly parameters: readonly string[];
}

export interface EditedConfig {
  /** The very same object when nothing has changed; what is mistaken is left out. */
  readonly config: JsonObject;
  readonly mistakes: readonly Mistake[];
}

/** In patronictl's order: what replaces, what is laid over that, then the single values. */
export const editConfig = (before: JsonObject, edit: ConfigEdit): EditedConfig => {
  const mistakes: Mistake[] = [];
  let config = before;
  const texts = [
    [edit.replace, replaceConfig],
    [edit.apply, mergeConfig],
  ] as const;
  for (const [text, change] of texts) {
    if (text === undefined) continue;
    const read = readConfigText(text);
    mistakes.push(...read.mistakes);
    if (read.mistakes.length === 0) config = change(config, read.config);
  }
  const assignments = [
    ...edit.set.map((text) => readAssignment(text, '')),
    ...edit.parameters.map((text) => readAssignment(text, PARAMETERS)),
  ];
  for (const assignment of assignments) {
    if ('message' in assignment) mistakes.push(assignment);
    else config = setValue(config, assignment);
  }
  return { config: replaceConfig(before, config), mistakes };
};

const readConfigText = ({ text, file }: ConfigText): EditedConfig => {
  const { root, mistakes } = parseYaml(text, { file });
  if (root?.kind === 'map') return { config: toJsonObject(root), mistakes };
  const message = root === undefined ? 'holds nothing' : 'is no list of settings';
  const fix = 'write settings as key: value, for example synchronous_mode: quorum';
  return {
    config: {},
    mistakes: mistakes.length > 0 ? mistakes : [{ file, path: '', message, fix }],
  };
};

const PARAMETERS = 'postgresql.parameters.';

interface Assignment {
  readonly path: readonly string[];
  /** Null removes. */
  readonly value: Json;
}

const readAssignment = (text: string, prefix: string): Assignment | Mistake => {
  const [key = '', ...behind] = text.split('=');
  const path = `${prefix}${key.trim()}`;
  const fix = prefix === '' ? 'write for example ttl=30' : 'write for example work_mem=8MB';
  if (behind.length === 0)
    return { path: '', message: `${JSON.stringify(text)} is not key=value`, fix };
  if (path.split('.').includes(''))
    return { path: '', message: `${JSON.stringify(text)} has an empty key`, fix };
  const { root, mistakes } = parseYaml(behind.join('='), { variable: path });
  const [mistake] = mistakes;
  if (mistake !== undefined) return mistake;
  return { path: path.split('.'), value: root === undefined ? null : toJson(root) };
};

/** PostgreSQL's parameters are no sections, and may have dots in their names. */
const keysOf = (path: readonly string[]): readonly string[] =>
  path.length > 2 && `${path.slice(0, 2).join('.')}.` === PARAMETERS
    ? [...path.slice(0, 2), path.slice(2).join('.')]
    : path;

const setValue = (config: JsonObject, { path, value }: Assignment): JsonObject => {
  const set = (map: JsonObject, [key = '', ...rest]: readonly string[]): JsonObject => {
    const { [key]: old, ...others } = map;
    const inner = rest.length === 0 ? value : set(isObject(old) ? old : {}, rest);
    const isGone = inner === null || (rest.length > 0 && Object.keys(inner).length === 0);
    return isGone ? others : { ...others, [key]: inner };
  };
  return set(config, keysOf(path));
};
