import { type MemberName, defaultTags } from '../../model/member.ts';
import { defaultPolicy } from '../../model/policy.ts';
import { type MemberState, createMember } from '../../state.ts';
import type { Weather } from './weather.ts';

/** The member whose story is played. */
export const ALPHA = 'alpha' as MemberName;

/** What its operator has set, and what the operator changes it to. */
export const TTL_MS = 5_000;
export const OTHER_TTL_MS = 14_000;

/** The member as each of its loops begins. `run` counts the lives of its agent. */
export const newMember = (weather: Weather, run: number): MemberState =>
  createMember(
    {
      name: ALPHA,
      address: 'alpha:5432',
      connUrl: 'postgres://alpha:5432/postgres',
      apiUrl: 'http://alpha:8008/patroni',
      tags: defaultTags,
      life: { host: 'host-1', run: `run-${run}` },
      bootstrapConfig: {},
      mayTakeOverData: false,
    },
    {
      ...defaultPolicy,
      fastLease: true,
      ttlMs: TTL_MS,
      loopWaitMs: 5_000,
      retryTimeoutMs: 2_000,
      primaryStartTimeoutMs: weather.handsOver ? 0 : 300_000,
      serverConfigVersion: 'v1',
    },
  );
