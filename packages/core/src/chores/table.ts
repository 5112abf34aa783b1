/** The chores by the lane they are done in. */
import type { Lane } from '../model/action.ts';
import type { Chore } from './chore.ts';
import { armGuard, readStore, renewLease } from './lease-chores.ts';
import { inspectDisk, probeServer } from './look-chores.ts';
import { publishMember } from './publish-chores.ts';
import { armSyncNames, showSyncNames } from './sync-chores.ts';
import { changeSlots, checkpointAfterPromotion } from './slot-chores.ts';

export const chores: readonly { readonly lane: Lane; readonly chore: Chore }[] = [
  { lane: 'lease', chore: renewLease },
  { lane: 'guard', chore: armGuard },
  { lane: 'read', chore: readStore },
  { lane: 'probe', chore: probeServer },
  { lane: 'disk', chore: inspectDisk },
  { lane: 'publish', chore: publishMember },
  { lane: 'sql', chore: checkpointAfterPromotion },
  { lane: 'sql', chore: showSyncNames },
  { lane: 'sql', chore: armSyncNames },
  { lane: 'sql', chore: changeSlots },
];
