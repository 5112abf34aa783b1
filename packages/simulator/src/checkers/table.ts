import type { MakeChecker } from './checker.ts';
import { foreignDataUntouched } from './foreign-data-untouched.ts';
import { noStorm } from './no-storm.ts';
import { s1PromotionNeedsTheLease } from './s1-promotion-needs-the-lease.ts';
import { s1WritesNeedTheLease } from './s1-writes-need-the-lease.ts';
import { s10NothingLostWithoutNeed } from './s10-nothing-lost-without-need.ts';
import { s13NoPingPong } from './s13-no-ping-pong.ts';
import { s14ATimeIsKeptOnce } from './s14-a-time-is-kept-once.ts';
import { s2SilentBeforeTheLeaseExpires } from './s2-silent-before-the-lease-expires.ts';
import { s4NeverTwoPrimaries } from './s4-never-two-primaries.ts';
import { s4OldOneSilentFirst } from './s4-old-one-silent-first.ts';
import { s5ATimelineNumberOnce } from './s5-a-timeline-number-once.ts';
import { s6AcknowledgedCommitsSurvive } from './s6-acknowledged-commits-survive.ts';
import { s6ReadsSeeWhatWasAcknowledged } from './s6-reads-see-what-was-acknowledged.ts';
import { s7NeverDeleteTheLastCopy } from './s7-never-delete-the-last-copy.ts';

/** Every checker of safety. Liveness is asked for after healing (`whyNotHealthy`). */
export const checkers: readonly MakeChecker[] = [
  s1WritesNeedTheLease,
  s1PromotionNeedsTheLease,
  s2SilentBeforeTheLeaseExpires,
  s4NeverTwoPrimaries,
  s4OldOneSilentFirst,
  s5ATimelineNumberOnce,
  s6AcknowledgedCommitsSurvive,
  s6ReadsSeeWhatWasAcknowledged,
  s7NeverDeleteTheLastCopy,
  s10NothingLostWithoutNeed,
  s13NoPingPong,
  s14ATimeIsKeptOnce,
  foreignDataUntouched,
  noStorm,
];
