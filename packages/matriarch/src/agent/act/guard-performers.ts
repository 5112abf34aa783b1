import type { Failure, LaunchSpec } from '@matriarch/core';
import type { Guard, GuardReply } from '../ports/guard.ts';
import type { PerformerResult, Performers } from './performers.ts';

export interface GuardParts {
  readonly guard: Guard;
  readonly dataDirectory: string;
  /** The loop's own means to fence, for when the guard does not answer (rule S3). */
  readonly fenceOurselves: () => Promise<{ readonly silent: boolean }>;
  readonly launch: (as: 'primary' | 'standby' | 'private') => Promise<LaunchSpec | Failure>;
}

export type GuardPerformers = Pick<
  Performers,
  | 'extend-deadline'
  | 'suspend-deadline'
  | 'fence'
  | 'start-server'
  | 'stop-server'
  | 'reload-server'
  | 'promote'
>;

/** A refusal had no effect. */
const toResult = <T>(reply: GuardReply<T>): ({ readonly kind: 'done' } & T) | Failure =>
  reply.kind === 'refused' ? { kind: 'failed', cause: reply.cause } : reply;

const isFailure = (launch: LaunchSpec | Failure): launch is Failure => 'kind' in launch;

export const createGuardPerformers = (parts: GuardParts): GuardPerformers => {
  const { guard, dataDirectory, fenceOurselves, launch } = parts;
  return {
    'extend-deadline': async ({ deadline, leaseId }) =>
      toResult(await guard.extend({ deadline, leaseId })),
    'suspend-deadline': async ({ on, leaseId }) => toResult(await guard.suspend({ on, leaseId })),
    fence: async ({ by }): Promise<PerformerResult<'fence'>> => {
      if (by === 'guard') return toResult(await guard.fence({ dataDirectory }));
      return { kind: 'done', ...(await fenceOurselves()) };
    },
    'start-server': async ({ as }) => {
      const spec = await launch(as);
      if (isFailure(spec)) return spec;
      return toResult(await guard.start({ as, launch: spec }));
    },
    'stop-server': async ({ mode, limitMs }) => toResult(await guard.stop({ mode, limitMs })),
    'reload-server': async () => toResult(await guard.reload()),
    promote: async () => toResult(await guard.promote()),
  };
};
