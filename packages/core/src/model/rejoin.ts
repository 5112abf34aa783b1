import type { Instant } from './instant.ts';
import type { Timeline } from './timeline.ts';

export type RejoinMethod = 'follow' | 'rewind' | 'clone';

/** What has been tried to make this member a streaming standby again. */
export interface Rejoin {
  readonly method: RejoinMethod;
  readonly because: string;
  /** An operator wants a clone: what lies here may be usable, and the only copy of something. */
  readonly asked: boolean;
  readonly failedStarts: number;
  readonly failedRewinds: number;
  readonly failedClones: number;
  readonly failedMeasures: number;
  /** A clone was made because starts had failed: another one would not start either. */
  readonly clonedForStarts: boolean;
  /** The timeline of the upstream that our standby was restarted for, once, to find its way to. */
  readonly restartedFor: Timeline | undefined;
  readonly notBefore: Instant;
  readonly forkKept: boolean;
  /** A clone is complete and takes the place of the old data next. */
  readonly cloned: boolean;
}

export const freshRejoin = (notBefore: Instant): Rejoin => ({
  method: 'follow',
  because: 'start',
  asked: false,
  failedStarts: 0,
  failedRewinds: 0,
  failedClones: 0,
  failedMeasures: 0,
  clonedForStarts: false,
  restartedFor: undefined,
  notBefore,
  forkKept: false,
  cloned: false,
});
