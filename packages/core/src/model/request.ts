import type { PromiseRequest } from './failsafe.ts';
import type { OperationRequest } from './operating.ts';
import type { ScheduledRestart } from './schedule.ts';

/** A restart at a time, or none after all. `id` is for whoever asked, to find the answer again. */
export type ScheduleRequest =
  | {
      readonly kind: 'schedule-restart';
      readonly id: string;
      readonly restart: Omit<ScheduledRestart, 'postmasterStartedAt'>;
    }
  | { readonly kind: 'cancel-restart'; readonly id: string };

/** What somebody at this member's own side asks for. Cluster-wide requests come by the store. */
export type LocalRequest =
  /** SIGTERM: hand over if primary, stop PostgreSQL, leave. */
  { readonly kind: 'shut-down' } | PromiseRequest | OperationRequest | ScheduleRequest;
