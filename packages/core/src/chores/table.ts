/** The chores by the lane they are done in. */
import type { Lane } from '../model/action.ts';
import type { Chore } from './chore.ts';
import { armGuard, readStore, renewLease } from './lease-chores.ts';
import { askPromises, keepPromise } from './failsafe-chores.ts';
import { publishJournal } from './journal-chores.ts';
import { inspectDisk, probeServer } from './look-chores.ts';
import { suspendDeadline } from './pause-chores.ts';
import { publishMember } from './publish-chores.ts';
import { armSyncNames, showSyncNames } from './sync-chores.ts';
import { changeSlots, checkpointAfterPromotion } from './slot-chores.ts';
import { askHeld, countCancelled, countExposed } from './unpromised-chores.ts';
import { manageWaiting } from './waiting-chores.ts';

export const chores: readonly { readonly lane: Lane; readonly chore: Chore }[] = [
  { lane: 'lease', chore: renewLease },
  { lane: 'guard', chore: armGuard },
  { lane: 'guard', chore: suspendDeadline },
  { lane: 'word', chore: keepPromise },
  { lane: 'promises', chore: askPromises },
  { lane: 'read', chore: readStore },
  { lane: 'probe', chore: probeServer },
  { lane: 'disk', chore: inspectDisk },
  { lane: 'publish', chore: publishMember },
  { lane: 'publish', chore: publishJournal },
  { lane: 'sql', chore: checkpointAfterPromotion },
  { lane: 'sql', chore: changeSlots },
  { lane: 'sql', chore: showSyncNames },
  { lane: 'sql', chore: armSyncNames },
  { lane: 'sql', chore: manageWaiting },
  { lane: 'commits', chore: askHeld },
  { lane: 'commits', chore: countExposed },
  { lane: 'commits', chore: countCancelled },
];
