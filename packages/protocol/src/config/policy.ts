import type { JsonObject, Policy } from '@matriarch/core';
import { defaultPolicy } from '@matriarch/core';
import { renameOldKeys } from '../aliases/old-names.ts';
import type { Mistake, Warning } from '../errors/mistake.ts';
import type { LocatedMap } from '../located/located.ts';
import { locateMap } from '../located/located.ts';
import {
  type Parser,
  parseBoolean,
  parseDurationMs,
  parseInteger,
  parseSizeBytes,
} from '../located/parsers.ts';
import { Findings, Section } from '../located/section.ts';
import type { AgentConfig } from './agent-config.ts';
import { hashText } from './hash-text.ts';
import { knownKeys, warnOfUnbuilt } from './known-keys.ts';
import { deriveAccessLines, deriveServerParameters } from './server-parameters.ts';
import { readWaiting } from './read-waiting.ts';
import type { EffectiveTiming } from './timing.ts';
import { readTiming } from './timing.ts';

/** What the member's own file adds to the policy; a whole `AgentConfig` will do. */
export interface LocalSettings {
  readonly scope: string;
  readonly postgresql: Pick<
    AgentConfig['postgresql'],
    'listen' | 'parameters' | 'pgHba' | 'pgIdent' | 'usePgRewind'
  >;
}

/** Everything of a policy but the version of the server's files. */
export type PolicySettings = Omit<Policy, 'serverConfigVersion'>;

/** The cluster-wide configuration as a section, old names replaced. */
export const dynamicSection = (
  map: LocatedMap,
  context: { readonly path: string; readonly findings: Findings },
): Section =>
  new Section(
    renameOldKeys(map, 'dynamic', context),
    { path: context.path, schema: 'dynamic' },
    context.findings,
  );

/**
 * Reads everything that decisions need. Values that cannot be read are mistakes in the findings.
 * `localUsePgRewind`: what the member's own file says, which wins.
 */
export const readPolicy = (dynamic: Section, localUsePgRewind?: boolean): PolicySettings => {
  const timing = readTiming(dynamic);
  const notNegative = { minimum: 0 };
  const stopTimeoutMs = dynamic.value('primary_stop_timeout', parseDurationMs(notNegative)) ?? 0;
  const postgresql = dynamic.section('postgresql');
  const usePgRewind = postgresql.value('use_pg_rewind', parseBoolean);
  const policy: PolicySettings = {
    ...timing,
    maximumLagOnFailoverBytes:
      dynamic.value('maximum_lag_on_failover', parseSizeBytes(notNegative)) ??
      defaultPolicy.maximumLagOnFailoverBytes,
    primaryStartTimeoutMs:
      dynamic.value('primary_start_timeout', parseDurationMs(notNegative)) ??
      defaultPolicy.primaryStartTimeoutMs,
    usePgRewind: localUsePgRewind ?? usePgRewind ?? defaultPolicy.usePgRewind,
    useSlots: postgresql.value('use_slots', parseBoolean) ?? defaultPolicy.useSlots,
    // 0 means no limit to Patroni; a stop without a limit can hang for ever, so ours has one.
    stopTimeoutMs: stopTimeoutMs > 0 ? stopTimeoutMs : defaultPolicy.stopTimeoutMs,
    synchronous: readSynchronous(dynamic),
    failsafe: dynamic.value('failsafe_mode', parseBoolean) ?? defaultPolicy.failsafe,
    waiting: readWaiting(dynamic),
  };
  warnOfIdleWaiting(dynamic, policy);
  // Read elsewhere (server-parameters), known here.
  for (const key of ['parameters', 'pg_hba', 'pg_ident']) postgresql.has(key);
  postgresql.finish();
  dynamic.finish();
  return policy;
};

/** `off`, a boolean, or `quorum`. */
const parseSynchronousMode: Parser<Policy['synchronous']['mode']> = (scalar) => {
  if (typeof scalar.value === 'string' && scalar.value.toLowerCase() === 'quorum')
    return { ok: true, value: 'quorum' };
  const parsed = parseBoolean(scalar);
  if (parsed.ok) return { ok: true, value: parsed.value ? 'on' : 'off' };
  return { ok: false, allowed: 'on, off or quorum' };
};

/** Whoever is named would take a promise for kept that nobody has made. */
const warnOfIdleWaiting = (dynamic: Section, { synchronous, waiting }: PolicySettings): void => {
  if (synchronous.mode !== 'off') return;
  for (const key of ['synchronous_roles', 'synchronous_databases'] as const) {
    const names = key === 'synchronous_roles' ? waiting.roles : waiting.databases;
    if (names.length > 0)
      dynamic.warn(key, {
        message: 'has no effect while synchronous_mode is off: there is nobody to wait for',
        fix: 'set synchronous_mode to quorum',
      });
  }
};

const readSynchronous = (dynamic: Section): Policy['synchronous'] => {
  const mode = dynamic.value('synchronous_mode', parseSynchronousMode) ?? 'off';
  const strict = dynamic.value('synchronous_mode_strict', parseBoolean) ?? false;
  const count = dynamic.value('synchronous_node_count', parseInteger()) ?? 1;
  const lagBytes = dynamic.value('maximum_lag_on_syncnode', parseInteger()) ?? -1;
  return {
    mode,
    strict,
    count: Math.max(1, count),
    lagBytesMax: lagBytes > 0 ? BigInt(lagBytes) : undefined,
  };
};

export interface DerivedPolicy {
  /** Undefined when there are mistakes: the caller keeps what was in force before. */
  readonly policy: Policy | undefined;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Warning[];
}

/**
 * The policy in force under a cluster-wide configuration (the store's `config`): defaults filled
 * in, minimums and relations applied with a warning that names the value used. The document itself
 * is not changed: only the effective values are.
 */
export const derivePolicy = (dynamic: JsonObject, local?: LocalSettings): DerivedPolicy => {
  const findings = new Findings(knownKeys);
  const section = dynamicSection(locateMap(dynamic), { path: '', findings });
  const settings = readPolicy(section, local?.postgresql.usePgRewind);
  const policy = { ...settings, serverConfigVersion: deriveServerConfigVersion(dynamic, local) };
  return {
    policy: findings.mistakes.length === 0 ? policy : undefined,
    mistakes: findings.mistakes,
    warnings: [...findings.warnings, ...warnOfUnbuilt(findings)],
  };
};

/** A hash of everything that goes into postgresql.conf, pg_hba.conf and pg_ident.conf. */
const deriveServerConfigVersion = (dynamic: JsonObject, local?: LocalSettings): string => {
  const config = local ?? noLocalSettings;
  const { parameters = {} } = deriveServerParameters(dynamic, config);
  const { pgHba, pgIdent } = deriveAccessLines(dynamic, config);
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return hashText(JSON.stringify([sorted, pgHba ?? null, pgIdent ?? null]));
};

/** Of nobody in particular: where only the cluster-wide part is looked at. */
export const noLocalSettings: LocalSettings = {
  scope: '',
  postgresql: {
    listen: { addresses: [], port: 5432 },
    parameters: {},
    pgHba: undefined,
    pgIdent: undefined,
    usePgRewind: undefined,
  },
};

/** Only ttl, loop_wait, retry_timeout and fast_lease of a cluster-wide configuration. */
export const deriveEffectiveTiming = (
  dynamic: JsonObject,
): {
  readonly timing: EffectiveTiming | undefined;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Warning[];
} => {
  const findings = new Findings(knownKeys);
  const timing = readTiming(dynamicSection(locateMap(dynamic), { path: '', findings }));
  const { mistakes, warnings } = findings;
  return { timing: mistakes.length === 0 ? timing : undefined, mistakes, warnings };
};
