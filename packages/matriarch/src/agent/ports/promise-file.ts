import type { FailsafePromise, Failure, FoundPromise } from '@matriarch/core';

/** Where a member keeps what it has promised, so that no later loop forgets it (rule S9). */
export interface PromiseFile {
  /** Done when it survives a power cut. */
  write(promise: FailsafePromise): Promise<{ readonly kind: 'done' } | Failure>;
  /** What was written last; undefined: nothing was ever promised here. */
  read(): Promise<FoundPromise | undefined>;
}
