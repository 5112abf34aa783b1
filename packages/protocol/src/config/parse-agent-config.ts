import type { JsonObject } from '@matriarch/core';
import { memberName } from '@matriarch/core';
import { renameOldKeys } from '../aliases/old-names.ts';
import type { Mistake, Place, Warning } from '../errors/mistake.ts';
import type { LocatedMap } from '../located/located.ts';
import { emptyMap, layOver } from '../located/located.ts';
import { parseYaml } from '../located/parse-yaml.ts';
import { parseAnyText, parseText } from '../located/parsers.ts';
import type { Parser } from '../located/parsers.ts';
import { Findings, Section } from '../located/section.ts';
import type { AgentConfig } from './agent-config.ts';
import type { Environment } from './environment.ts';
import { CONFIGURATION_VARIABLE, overlayEnvironment } from './environment.ts';
import { knownKeys, warnOfUnbuilt } from './known-keys.ts';
import { readBootstrap } from './read-bootstrap.ts';
import { readEtcd } from './read-etcd.ts';
import { readPostgresql } from './read-postgresql.ts';
import { readRestapi } from './read-restapi.ts';
import { readTags } from './read-tags.ts';

/** One of several files that together are a configuration. */
export interface ConfigPart {
  readonly text: string;
  /** How the file is called in messages. */
  readonly file: string;
}

export interface AgentConfigSource {
  /**
   * The text of patroni.yml; undefined when there is no such file. Several files: each is laid over
   * those before it, maps merge, and null removes.
   */
  readonly text: string | readonly ConfigPart[] | undefined;
  /** How the file is called in messages. */
  readonly file: string;
  /** `process.env`, or a part of it. */
  readonly environment: Environment;
  readonly defaults?: { readonly stateDirectory?: string | undefined } | undefined;
}

export interface ParsedAgentConfig {
  /** Undefined when there are mistakes. */
  readonly config: AgentConfig | undefined;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Warning[];
  /** `bootstrap.dcs` as it is written: what a new cluster begins with. */
  readonly dynamic: JsonObject;
}

/**
 * Reads a patroni.yml and the PATRONI_* variables that override it. All mistakes come at once, each
 * with its line and column or its variable; what Patroni itself would correct is a warning.
 */
export const parseAgentConfig = (source: AgentConfigSource): ParsedAgentConfig => {
  const findings = new Findings(knownKeys);
  const document = readDocument(source, findings);
  if (document === undefined) {
    const mistakes = findings.sortedMistakes();
    return { config: undefined, mistakes, warnings: findings.sortedWarnings(), dynamic: {} };
  }
  const { config, dynamic } = readAgentConfig(document, source, findings);
  return {
    config: findings.mistakes.length === 0 ? config : undefined,
    mistakes: findings.sortedMistakes(),
    warnings: [...findings.sortedWarnings(), ...warnOfUnbuilt(findings)],
    dynamic,
  };
};

/** The file, or the variable that holds a whole file, or nothing but variables. */
const readDocument = (source: AgentConfigSource, findings: Findings): LocatedMap | undefined => {
  const whole = source.environment[CONFIGURATION_VARIABLE];
  const isInVariable = source.text === undefined && whole !== undefined && whole !== '';
  const place: Place = isInVariable
    ? { variable: CONFIGURATION_VARIABLE }
    : { file: source.file, line: 1, column: 1 };
  const map = isInVariable
    ? readMap({ text: whole, place }, findings)
    : readFiles(source, findings);
  if (findings.mistakes.length > 0) return undefined;
  const renamed = renameOldKeys(map ?? emptyMap(place), 'local', { path: '', findings });
  return isInVariable ? renamed : overlayEnvironment(renamed, source.environment, findings);
};

/** One file, or several laid over each other. */
const readFiles = (
  { text, file }: AgentConfigSource,
  findings: Findings,
): LocatedMap | undefined => {
  const parts = typeof text === 'object' ? text : [{ text: text ?? '', file }];
  return parts.reduce<LocatedMap | undefined>((merged, part) => {
    const place = { file: part.file, line: 1, column: 1 };
    const map = readMap({ text: part.text, place }, findings);
    return merged === undefined || map === undefined ? (map ?? merged) : layOver(merged, map);
  }, undefined);
};

/** Undefined: it is empty, or there are mistakes in it. */
const readMap = (
  { text, place }: { readonly text: string; readonly place: Place },
  findings: Findings,
): LocatedMap | undefined => {
  const { root, mistakes } = parseYaml(text, { file: place.file, variable: place.variable });
  findings.mistakes.push(...mistakes);
  if (root === undefined || (root.kind === 'scalar' && root.value === null)) return undefined;
  if (root.kind === 'map') return root;
  const message = 'holds no settings';
  findings.mistakes.push({ ...place, path: '', message, fix: 'write them as key: value' });
  return undefined;
};

const readAgentConfig = (
  document: LocatedMap,
  source: AgentConfigSource,
  findings: Findings,
): { readonly config: AgentConfig | undefined; readonly dynamic: JsonObject } => {
  const root = new Section(document, { path: '', schema: 'local' }, findings);
  const scope = readScope(root);
  const name = root.required('name', parseKeyPart, 'member1') ?? '';
  const namespace = root.value('namespace', parseAnyText) ?? '';
  const restapi = readRestapi(root.section('restapi'));
  const etcd = readEtcd(root);
  const bootstrap = readBootstrap(root);
  const postgresql = readPostgresql(root.section('postgresql'));
  const tags = root.section('tags');
  const memberTags = readTags(tags);
  const logLevel = readLogLevel(root.section('log'));
  const matriarch = readMatriarch(root.section('matriarch'), {
    stateDirectory: source.defaults?.stateDirectory ?? `${postgresql.dataDirectory}.matriarch`,
  });
  warnOfMisplaced(root);
  warnOfLongName(root, name);
  root.finish();
  if (etcd === undefined) return { config: undefined, dynamic: bootstrap.dynamic };
  return {
    dynamic: bootstrap.dynamic,
    config: {
      scope,
      namespace:
        namespace
          .split('/')
          .filter((part) => part !== '')
          .join('/') || 'service',
      name: memberName(name),
      restapi,
      etcd,
      postgresql,
      bootstrap: bootstrap.config,
      tags: memberTags,
      matriarch,
      logLevel,
    },
  };
};

/** The two kinds of file are easily taken for each other. */
const readScope = (root: Section): string => {
  if (!root.has('scope') && root.names().includes('cluster')) {
    root.mistake('scope', {
      message: 'is missing: this is a cluster.yaml, of all members',
      fix: 'start that with `matriarch up`, or name the patroni.yml of one member',
    });
    return '';
  }
  return root.required('scope', parseKeyPart, 'demo') ?? '';
};

/** Text that becomes one part of a key in the store. */
const parseKeyPart: Parser<string> = (scalar) => {
  const parsed = parseText(scalar);
  if (!parsed.ok || /^[^/\p{Cc}]+$/u.test(parsed.value)) return parsed;
  return { ok: false, allowed: 'a name without slashes' };
};

const NAME_BYTES_MAX = 63;

/** PostgreSQL cuts longer application names, and then a standby cannot be told by its name. */
const warnOfLongName = (root: Section, name: string): void => {
  if (encodeURIComponent(name).replace(/%../g, 'x').length <= NAME_BYTES_MAX) return;
  root.warn('name', {
    message: `is longer than the ${NAME_BYTES_MAX} bytes PostgreSQL shows of it`,
  });
};

const clusterWide = [
  'ttl',
  'loop_wait',
  'retry_timeout',
  'maximum_lag_on_failover',
  'primary_start_timeout',
  'master_start_timeout',
  'synchronous_mode',
  'synchronous_roles',
  'synchronous_databases',
  'failsafe_mode',
  'fast_lease',
  'slots',
  'standby_cluster',
];

const warnOfMisplaced = (root: Section): void => {
  for (const key of root.names().filter((name) => clusterWide.includes(name))) {
    root.has(key);
    root.warn(key, {
      message: 'has no effect here, because it is a setting of the whole cluster',
      fix: 'set it in bootstrap.dcs, or with edit-config when the cluster exists',
    });
  }
};

const logLevels: Readonly<Record<string, AgentConfig['logLevel']>> = {
  notset: 'debug',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  warn: 'warn',
  error: 'error',
  critical: 'error',
  fatal: 'error',
};

const readLogLevel = (log: Section): AgentConfig['logLevel'] => {
  const level = log.value('level', ({ value }) => {
    const found = logLevels[String(value).toLowerCase()];
    if (found !== undefined) return { ok: true, value: found };
    return { ok: false, allowed: 'one of DEBUG, INFO, WARNING, ERROR' };
  });
  log.finish();
  return level ?? 'info';
};

const readMatriarch = (
  section: Section,
  defaults: { readonly stateDirectory: string },
): AgentConfig['matriarch'] => {
  const config = {
    stateDirectory: section.value('state_dir', parseText) ?? defaults.stateDirectory,
    user: section.value('user', parseText),
  };
  section.finish();
  return config;
};
