/** Any policy, and what a server said of those who wait. */
import * as fc from 'fast-check';
import { type Policy, defaultPolicy } from '../../model/policy.ts';
import type { WaitingPolicy } from '../../model/waiting.ts';
import type { WaitingState } from '../../replication/waiting.ts';
import { anyPast, anyTime, maybe } from './values.ts';

const anyWaitingPolicy: fc.Arbitrary<WaitingPolicy> = fc.record({
  roles: fc.constantFrom([], [], ['billing'], ['billing', 'reports']),
  databases: fc.constantFrom([], [], ['ledger']),
});

export const anyWaiting: fc.Arbitrary<WaitingState> = fc.record({
  asked: maybe(anyWaitingPolicy),
  settings: fc.uniqueArray(
    fc.record({
      kind: fc.constantFrom('role' as const, 'database' as const),
      name: fc.constantFrom('billing', 'reports', 'ledger'),
      value: fc.constantFrom(undefined, 'on', 'local'),
      marked: fc.boolean(),
      canConnect: fc.boolean(),
    }),
    { maxLength: 2, selector: ({ kind, name }) => `${kind} ${name}` },
  ),
  lookAt: anyTime,
  changedAt: maybe(anyPast),
});

export const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    fastLease: fc.boolean(),
    primaryStartTimeoutMs: fc.constantFrom(0, 20_000),
    usePgRewind: fc.boolean(),
    useSlots: fc.boolean(),
    failsafe: fc.boolean(),
    serverConfigVersion: fc.constantFrom('v1', 'v2'),
    waiting: anyWaitingPolicy,
    synchronous: fc.record({
      mode: fc.constantFrom('off' as const, 'on' as const, 'quorum' as const),
      strict: fc.boolean(),
      count: fc.constantFrom(1, 2),
      lagBytesMax: fc.constantFrom(undefined, 0n),
    }),
  })
  .map((parts) => ({ ...defaultPolicy, ...parts }));
