import type { MemberName, MemberTags } from './member.ts';
import type { Lineage } from './timeline.ts';
import type { LeaseTerm } from './store.ts';
import type { KnownPosition } from './wal-position.ts';

/** What another member answered when asked for its position. */
export type PeerAnswer =
  | {
      readonly kind: 'answers';
      /** Its PostgreSQL runs and answers. */
      readonly running: boolean;
      /** Its PostgreSQL is, or may be, out of recovery. */
      readonly primary: boolean;
      readonly position: KnownPosition;
      readonly lineage: Lineage | undefined;
      /** Its walreceiver runs, so that more may come; undefined: it does not say. */
      readonly streaming?: boolean | undefined;
      readonly tags: MemberTags;
      /**
       * It receives nothing from the holder of this term any more, and its position is from after
       * that (rule S6); undefined: it has not promised so.
       */
      readonly vote?: LeaseTerm | undefined;
      /** It has promised this primary not to be elected, and is bound by that (rule S9). */
      readonly promisedTo?: MemberName | undefined;
      /** It could take the lease if it were the best: see `view/documents.ts`. */
      readonly electable: boolean;
    }
  | { readonly kind: 'no-answer'; readonly cause: string };
