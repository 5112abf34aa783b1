/**
 * The cluster-wide configuration in force: what the store's `config` says, read again whenever it
 * changes, and kept on disk so that a member that starts while the store is out runs with what was
 * true last.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject, MemberState, Policy, StoreSnapshot } from '@matriarch/core';
import {
  type AgentConfig,
  deriveAccessLines,
  derivePolicy,
  deriveServerParameters,
  formatMistakes,
} from '@matriarch/protocol';
import type { ServerSettings } from '../ports/server-settings.ts';

const FILE_NAME = 'dynamic.json';

export interface DynamicSettings {
  policy(): Policy;
  server(): ServerSettings;
  document(): JsonObject;
  /** Takes the snapshot's configuration; answers whether the policy is another one now. */
  take(snapshot: StoreSnapshot): boolean;
  /** The member's own file was read again. */
  reload(config: AgentConfig): boolean;
}

export interface SettingsLog {
  warn(details: object, message: string): void;
}

interface Derived {
  readonly document: JsonObject;
  readonly policy: Policy;
  readonly server: ServerSettings;
  readonly warnings: readonly string[];
}

interface Wrong {
  readonly kind: 'wrong';
  readonly message: string;
}

const WRONG = 'cluster configuration is wrong, the last one stays';

export const createDynamicSettings = (
  initial: AgentConfig,
  log: SettingsLog,
): DynamicSettings | Wrong => {
  let config = initial;
  let seenRevision = 0;
  const { stateDirectory } = config.matriarch;
  const first = deriveFirst(config, log);
  if ('kind' in first) return first;
  let inForce = first;
  warnOf(first.warnings, log);

  const use = (derived: Derived): boolean => {
    const added = derived.warnings.filter((warning) => !inForce.warnings.includes(warning));
    warnOf(added, log);
    const policyChanged = asText(derived.policy) !== asText(inForce.policy);
    inForce = derived;
    return policyChanged;
  };

  return {
    policy: () => inForce.policy,
    server: () => inForce.server,
    document: () => inForce.document,
    take: ({ config: stored }) => {
      if (stored === undefined || stored.modRevision === seenRevision) return false;
      seenRevision = stored.modRevision;
      const derived = derive(stored.value, config);
      if ('kind' in derived) {
        log.warn({ mistakes: derived.message }, WRONG);
        return false;
      }
      keep(stateDirectory, stored.value);
      return use(derived);
    },
    reload: (next) => {
      const derived = derive(inForce.document, next);
      if ('kind' in derived) {
        log.warn({ mistakes: derived.message }, WRONG);
        return false;
      }
      config = next;
      return use(derived);
    },
  };
};

const asText = (policy: Policy): string =>
  JSON.stringify(policy, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );

const warnOf = (warnings: readonly string[], log: SettingsLog): void => {
  for (const warning of warnings) log.warn({ warning }, 'cluster configuration is corrected');
};

/** What was kept is from the store: it may not stand in the way of starting. */
const deriveFirst = (config: AgentConfig, log: SettingsLog): Derived | Wrong => {
  const own = config.bootstrap?.dcs ?? {};
  const kept = readKept(config.matriarch.stateDirectory);
  if (kept === undefined) return derive(own, config);
  const derived = derive(kept, config);
  if (!('kind' in derived)) return derived;
  log.warn({ mistakes: derived.message }, 'kept cluster configuration is wrong, not used');
  return derive(own, config);
};

const derive = (document: JsonObject, config: AgentConfig): Derived | Wrong => {
  const policy = derivePolicy(document, config);
  const parameters = deriveServerParameters(document, config);
  if (policy.policy === undefined || parameters.parameters === undefined)
    return { kind: 'wrong', message: formatMistakes([...policy.mistakes, ...parameters.mistakes]) };
  return {
    document,
    policy: policy.policy,
    server: {
      parameters: parameters.parameters,
      ...deriveAccessLines(document, config),
      useSlots: policy.policy.useSlots,
    },
    warnings: [...policy.warnings, ...parameters.warnings].map((one) => formatMistakes([one])),
  };
};

const readKept = (stateDirectory: string): JsonObject | undefined => {
  try {
    const kept: unknown = JSON.parse(readFileSync(join(stateDirectory, FILE_NAME), 'utf8'));
    const isObject = typeof kept === 'object' && kept !== null && !Array.isArray(kept);
    return isObject ? (kept as JsonObject) : undefined;
  } catch {
    return undefined;
  }
};

/** Losing it costs nothing while the store answers, so a full disk is not reported from here. */
const keep = (stateDirectory: string, document: JsonObject): void => {
  const file = join(stateDirectory, FILE_NAME);
  try {
    writeFileSync(`${file}.tmp`, JSON.stringify(document), { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
  } catch {
    return;
  }
};

/** The cluster-wide configuration may have changed with any snapshot. */
export const followConfiguration = (
  settings: DynamicSettings,
  apply: (changed: boolean) => void,
): ((state: MemberState) => void) => {
  let seen: MemberState['snapshot'];
  return ({ snapshot }) => {
    if (snapshot === undefined || snapshot === seen) return;
    seen = snapshot;
    if (settings.take(snapshot.value)) apply(true);
  };
};
