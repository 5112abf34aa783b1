import type { JsonObject } from '@matriarch/core';
import type { Mistake, Warning } from '../errors/mistake.ts';
import type { Located, LocatedScalar } from '../located/located.ts';
import { locateMap } from '../located/located.ts';
import { parseText } from '../located/parsers.ts';
import { describeGiven, Findings, Section } from '../located/section.ts';
import type { AgentConfig } from './agent-config.ts';
import { knownKeys } from './known-keys.ts';
import {
  controlledParameters,
  isControlled,
  isReserved,
  megabytesAsBytes,
  readWalKeepSegments,
  readWalKeepSize,
} from './parameter-rules.ts';

export type ServerParameters = Readonly<Record<string, string>>;

const WAL_KEEP_SIZE = '128MB';

/**
 * A slot that nobody reads must not fill the primary's disk; a standby that misses WAL is rewound
 * or cloned by itself.
 */
const SLOT_WAL_KEEP_SIZE = '10GB';

/** What we set where nobody says otherwise, and why. */
const ourDefaults: ServerParameters = {
  // A standby that has just lost its upstream sleeps this long, also in the middle of a promotion.
  wal_retrieve_retry_interval: '100ms',
  // How fresh the primary's knowledge of its standbys is.
  wal_receiver_status_interval: '1s',
  // Why a server ended, and whether commits were cancelled while they waited, its log says.
  lc_messages: 'C',
};

/**
 * The parameters under a section's key as PostgreSQL takes them: names in lower case, booleans as
 * on and off, null entries left out. Values are not repeated in messages: some hold passwords.
 */
export const readParameterMap = (
  section: Section,
  key: string,
): ReadonlyMap<string, LocatedScalar> => {
  const parameters = section.section(key);
  const read = new Map<string, LocatedScalar>();
  for (const name of parameters.names()) {
    const entry = parameters.entry(name);
    if (entry === undefined) continue;
    const value = textOf(entry);
    if (value === undefined || !/^[A-Za-z_][A-Za-z0-9_.]*$/.test(name)) {
      parameters.mistake(name, {
        message:
          value === undefined ? `${describeGiven(entry)} is not a value` : 'is not a parameter',
        fix: 'write name: value, as in postgresql.conf',
      });
    } else {
      read.set(name.toLowerCase(), { kind: 'scalar', place: entry.place, value });
    }
  }
  return read;
};

const textOf = (entry: Located): string | undefined => {
  if (entry.kind !== 'scalar') return undefined;
  return typeof entry.value === 'boolean' ? (entry.value ? 'on' : 'off') : String(entry.value);
};

/** Said where it is written, in whichever file or document that is. */
const warnOfCommitsInMemory = (
  given: ReadonlyMap<string, LocatedScalar>,
  postgresql: Section,
): void => {
  const commit = given.get('synchronous_commit');
  if (commit === undefined || !isOff(String(commit.value))) return;
  postgresql.findings.warnings.push({
    ...commit.place,
    path: `${postgresql.pathOf('parameters')}.synchronous_commit`,
    message:
      'off is not asynchronous replication: a crash loses commits that were acknowledged, ' +
      'on the primary itself too',
    fix: 'leave it out: whether commits wait for a standby is said by the mode of replication',
  });
};

/** The local parameters that have an effect; for each of the others a warning. */
export const readLocalParameters = (postgresql: Section): ServerParameters => {
  const effective: Record<string, string> = {};
  const given = readParameterMap(postgresql, 'parameters');
  warnOfCommitsInMemory(given, postgresql);
  for (const [name, { place, value }] of given) {
    const path = `${postgresql.pathOf('parameters')}.${name}`;
    if (isReserved(name)) {
      const message = 'is set by the agent itself; it has no effect here';
      postgresql.findings.warnings.push({ ...place, path, message });
    } else if (isControlled(name)) {
      const message = 'must be the same on every member; it has no effect here';
      const fix = 'set it in the cluster-wide configuration (bootstrap.dcs, or edit-config)';
      postgresql.findings.warnings.push({ ...place, path, message, fix });
    } else {
      effective[name] = String(value);
    }
  }
  return effective;
};

/** The cluster-wide parameters, those that every member must share checked and filled in. */
export const readDynamicParameters = (
  postgresql: Section,
  given: ReadonlyMap<string, LocatedScalar> = readParameterMap(postgresql, 'parameters'),
): ServerParameters => {
  const { warnings } = postgresql.findings;
  const warn = (name: string, message: string): void => {
    const place = given.get(name)?.place ?? {};
    warnings.push({ ...place, path: `${postgresql.pathOf('parameters')}.${name}`, message });
  };
  warnOfCommitsInMemory(given, postgresql);
  const effective: Record<string, string> = {};
  const keepSegments = takeChecked(given, warn, {
    name: 'wal_keep_segments',
    otherwise: WAL_KEEP_SIZE,
    read: readWalKeepSegments,
  });
  const controlled = [
    ...controlledParameters,
    { name: 'wal_keep_size', otherwise: keepSegments, read: readWalKeepSize },
  ];
  for (const parameter of controlled) {
    effective[parameter.name] = takeChecked(given, warn, parameter);
  }
  for (const [name, { value }] of given) {
    if (isReserved(name)) warn(name, 'is set by each agent itself; it has no effect here');
    else if (!isControlled(name)) effective[name] = String(value);
  }
  return effective;
};

const takeChecked = (
  given: ReadonlyMap<string, LocatedScalar>,
  warn: (name: string, message: string) => void,
  { name, otherwise, read }: (typeof controlledParameters)[number],
): string => {
  const scalar = given.get(name);
  if (scalar === undefined) return otherwise;
  const parsed = read(scalar);
  if (parsed.ok) return parsed.value;
  warn(name, `${describeGiven(scalar)} is not ${parsed.allowed}; ${otherwise} is used`);
  return otherwise;
};

/** Lays local parameters over the cluster-wide ones and adds what is ours. */
export const assembleParameters = (
  source: Pick<AgentConfig, 'scope'> & {
    readonly dynamic: ServerParameters;
    readonly local: ServerParameters;
    readonly listen: AgentConfig['postgresql']['listen'];
  },
  warn: (name: string, message: string) => void,
): ServerParameters => {
  const given: Record<string, string> = { ...ourDefaults, ...source.dynamic, ...source.local };
  const restart = given['restart_after_crash'];
  if (restart !== undefined && !isOff(restart)) {
    const message = 'is kept off: the agent restarts PostgreSQL or hands over, never both at once';
    warn('restart_after_crash', message);
  }
  given['max_slot_wal_keep_size'] ??= slotWalKeepSize(given['wal_keep_size'] ?? WAL_KEEP_SIZE);
  return {
    ...given,
    listen_addresses: source.listen.addresses.join(','),
    port: String(source.listen.port),
    cluster_name: source.scope,
    restart_after_crash: 'off',
  };
};

const isOff = (text: string | undefined): boolean =>
  ['off', 'false', 'no', '0'].includes(text?.toLowerCase() ?? '');

const slotWalKeepSize = (walKeepSize: string): string => {
  const kept = megabytesAsBytes(walKeepSize) ?? 0n;
  return kept > (megabytesAsBytes(SLOT_WAL_KEEP_SIZE) ?? 0n) ? walKeepSize : SLOT_WAL_KEEP_SIZE;
};

export interface DerivedParameters {
  /** Undefined when there are mistakes: the caller keeps what was in force before. */
  readonly parameters: ServerParameters | undefined;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Warning[];
}

/**
 * Every parameter PostgreSQL is to run with: built-in defaults, then the cluster-wide
 * configuration, then this member's own file, except for what all members must share. What depends
 * on the role (primary_conninfo, primary_slot_name) is not among them.
 */
export const deriveServerParameters = (
  dynamic: JsonObject,
  config: {
    readonly scope: string;
    readonly postgresql: Pick<AgentConfig['postgresql'], 'listen' | 'parameters'>;
  },
): DerivedParameters => {
  const findings = new Findings(knownKeys);
  const section = new Section(locateMap(dynamic), { path: '', schema: 'dynamic' }, findings);
  const parameters = assembleParameters(
    {
      scope: config.scope,
      listen: config.postgresql.listen,
      local: config.postgresql.parameters,
      dynamic: readDynamicParameters(section.section('postgresql')),
    },
    (name, message) => {
      findings.warnings.push({ path: `postgresql.parameters.${name}`, message });
    },
  );
  const { mistakes, warnings } = findings;
  return { parameters: mistakes.length === 0 ? parameters : undefined, mistakes, warnings };
};

type AccessLines = Pick<AgentConfig['postgresql'], 'pgHba' | 'pgIdent'>;

const readAccess = (dynamic: JsonObject, findings: Findings): AccessLines => {
  const section = new Section(locateMap(dynamic), { path: '', schema: 'dynamic' }, findings);
  const postgresql = section.section('postgresql');
  return {
    pgHba: postgresql.values('pg_hba', parseText),
    pgIdent: postgresql.values('pg_ident', parseText),
  };
};

/** The lines of pg_hba.conf and pg_ident.conf in force: the local list, else the cluster's. */
export const deriveAccessLines = (
  dynamic: JsonObject,
  { postgresql: { pgHba, pgIdent } }: { readonly postgresql: AccessLines },
): AccessLines => {
  const shared = readAccess(dynamic, new Findings());
  return { pgHba: pgHba ?? shared.pgHba, pgIdent: pgIdent ?? shared.pgIdent };
};

/** Lines that are none are left out of the files: who writes them is told. */
export const findAccessMistakes = (dynamic: JsonObject): readonly Mistake[] => {
  const findings = new Findings();
  readAccess(dynamic, findings);
  return findings.mistakes;
};
