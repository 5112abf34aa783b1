/** The mode of replication a drill is played under, as the cluster-wide configuration says it. */
import type { JsonObject } from '@matriarch/core';
import { mergeConfig, readClusterSettings } from '@matriarch/protocol';
import type { DrillMode } from './report.ts';

/** What a drill may switch a cluster to. In hybrid mode it depends on who writes. */
export const MODES = ['asynchronous', 'synchronous', 'quorum'] as const;
export type SwitchedMode = (typeof MODES)[number];

export const isMode = (word: unknown): word is SwitchedMode => MODES.some((mode) => mode === word);

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

/** `synchronous_commit` for all who have no setting of their own. */
const commitOf = (config: JsonObject | undefined): unknown =>
  memberOf(memberOf(memberOf(config, 'postgresql'), 'parameters'), 'synchronous_commit');

export const modeOf = (config: JsonObject | undefined): DrillMode => {
  const { synchronousMode } = readClusterSettings(config);
  if (synchronousMode === 'off') return 'asynchronous';
  if (commitOf(config) === 'local') return 'hybrid';
  return synchronousMode === 'quorum' ? 'quorum' : 'synchronous';
};

const SYNCHRONOUS_MODE = { asynchronous: 'off', synchronous: 'on', quorum: 'quorum' } as const;

/** The same configuration, but for what makes the mode. */
export const withMode = (config: JsonObject, mode: SwitchedMode): JsonObject =>
  modeOf(config) === mode
    ? config
    : mergeConfig(config, {
        synchronous_mode: SYNCHRONOUS_MODE[mode],
        postgresql: { parameters: { synchronous_commit: null } },
      });
