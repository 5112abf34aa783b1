import type { PromiseRequest } from './failsafe.ts';
import type { OperationRequest } from './operating.ts';

/** What somebody at this member's own side asks for. Cluster-wide requests come by the store. */
export type LocalRequest =
  /** SIGTERM: hand over if primary, stop PostgreSQL, leave. */
  { readonly kind: 'shut-down' } | PromiseRequest | OperationRequest;
