import type { Brand } from './brand.ts';

/** The name of an agent with its server, unique in the cluster (`name` in patroni.yml). */
export type MemberName = Brand<string, 'MemberName'>;

export const memberName = (name: string): MemberName => name as MemberName;

/** What an operator says of one member (`tags` in patroni.yml). */
export interface MemberTags {
  /** Never becomes primary by itself. A `failoverPriority` of 0 means the same. */
  readonly nofailover: boolean;
  /** Among candidates that hold the same WAL the highest number wins. */
  readonly failoverPriority: number;
  /** Gets no reads from the load balancer. */
  readonly noloadbalance: boolean;
  /** Preferred as the source of new replicas. */
  readonly clonefrom: boolean;
  /** Commits never wait for it. A `syncPriority` of 0 means the same. */
  readonly nosync: boolean;
  /** Where commits wait for chosen standbys, the highest number is chosen first. */
  readonly syncPriority: number;
  /** Tags we do not interpret are kept and published. */
  readonly others: Readonly<Record<string, string | number | boolean>>;
}

export const defaultTags: MemberTags = {
  nofailover: false,
  failoverPriority: 1,
  noloadbalance: false,
  clonefrom: false,
  nosync: false,
  syncPriority: 1,
  others: {},
};

export const mayFailOver = (tags: MemberTags): boolean =>
  !tags.nofailover && tags.failoverPriority > 0;

export const mayBeSynchronous = (tags: MemberTags): boolean =>
  !tags.nosync && tags.syncPriority > 0;

/**
 * The name of a member's physical replication slot: lower case, `-` and `.` become `_`, any other
 * character outside `[a-z0-9_]` becomes `u` and its code point with at least four digits, cut to
 * PostgreSQL's 63 characters.
 */
export const slotNameOf = (member: MemberName): string =>
  PLAIN_SLOT_NAME.test(member) ? member : mapToSlotName(member);

/** Most names are good as they are. */
const PLAIN_SLOT_NAME = /^[a-z0-9_]{1,63}$/;

const mapToSlotName = (member: MemberName): string =>
  Array.from(member.toLowerCase(), (character) => {
    if (/[a-z0-9_]/.test(character)) return character;
    if (character === '-' || character === '.') return '_';
    return `u${String(character.codePointAt(0)).padStart(4, '0')}`;
  })
    .join('')
    .slice(0, 63);
