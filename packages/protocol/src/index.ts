/** The one door of the package: everything others may use. */
export * from './aliases/old-names.ts';
export * from './config/agent-config.ts';
export * from './config/cluster-settings.ts';
export * from './config/edit-config.ts';
export * from './config/environment.ts';
export * from './config/judge-config-change.ts';
export {
  describeConfigChange,
  diffConfig,
  mergeConfig,
  replaceConfig,
} from './config/merge-config.ts';
export * from './config/parse-agent-config.ts';
export {
  derivePolicy,
  deriveEffectiveTiming,
  type DerivedPolicy,
  type LocalSettings,
} from './config/policy.ts';
export {
  deriveAccessLines,
  deriveServerParameters,
  type DerivedParameters,
  type ServerParameters,
} from './config/server-parameters.ts';
export type { EffectiveTiming } from './config/timing.ts';
export {
  documentKeys,
  documentPath,
  memberPath,
  clusterPrefix,
} from './documents/store-documents.ts';
export {
  assembleSnapshot,
  encodeCompare,
  encodeDocument,
  encodeWrite,
  type EncodedWrite,
  type StoredEntry,
  type StoredRange,
} from './documents/store-documents.ts';
export * from './documents/member-codec.ts';
export {
  encodeOwnScheduledRestart,
  encodeScheduledRestart,
  parseSchedule,
  type ParsedSchedule,
} from './documents/schedule-codec.ts';
export * from './documents/tags-codec.ts';
export * from './errors/codes.ts';
export * from './errors/mistake.ts';
export * from './errors/problem.ts';
export * from './errors/render-errors.ts';
export * from './json/exact-json.ts';
export * from './located/endpoint-parsers.ts';
export { findNearest } from './located/nearest.ts';
export * from './version.ts';
export * from './rest/answers.ts';
export * from './rest/peer-status.ts';
export * from './rest/requests.ts';
export * from './cluster/cluster-config.ts';
export {
  clusterVariables,
  parseClusterConfig,
  type ClusterConfigSource,
  type ParsedClusterConfig,
} from './cluster/parse-cluster-config.ts';
export { resolveSecret, type ResolvedSecret, type SecretAccess } from './cluster/read-secrets.ts';
export * from './cluster/render-agent-config.ts';
