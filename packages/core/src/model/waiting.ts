/** Roles and databases whose commits wait for a standby where those of others do not. */

/** Names as PostgreSQL has them: without quotes, upper and lower case matter. */
export interface WaitingPolicy {
  readonly roles: readonly string[];
  readonly databases: readonly string[];
}

export const nobodyWaits: WaitingPolicy = { roles: [], databases: [] };

/** The value of `synchronous_commit` that we give a role or database. */
export const WAITING_VALUE = 'on';

/** One of those whose commits are to wait. */
export interface Waiter {
  readonly kind: 'role' | 'database';
  readonly name: string;
}

/** What the server says of a role or database. One that does not exist has none. */
export interface WaitingSetting extends Waiter {
  /** Its own `synchronous_commit`; undefined: that of the server holds. */
  readonly value: string | undefined;
  /** It carries our mark: the value was set by a member of this cluster. */
  readonly marked: boolean;
  /** Sessions can be opened with it. PostgreSQL gives nobody the settings of a group. */
  readonly canConnect: boolean;
}

/**
 * `waits`: its new sessions wait. `not-yet`: it is about to be set. `missing`: there is no such
 * role or database. `set-otherwise`: by somebody else, so it is left as it is. `no-sessions`: it
 * cannot log in, or takes no connections.
 */
export const waiterStates = [
  'waits',
  'not-yet',
  'missing',
  'set-otherwise',
  'no-sessions',
] as const;
export type WaiterState = (typeof waiterStates)[number];

/** How far it has come with one of those that the policy names. */
export interface WaiterReport extends Waiter {
  readonly state: WaiterState;
  /** The value that somebody else has set. */
  readonly value?: string | undefined;
}

export const isSameWaiting = (a: WaitingPolicy, b: WaitingPolicy): boolean =>
  JSON.stringify([a.roles, a.databases]) === JSON.stringify([b.roles, b.databases]);

export const waitersOf = ({ roles, databases }: WaitingPolicy): readonly Waiter[] => [
  ...roles.map((name): Waiter => ({ kind: 'role', name })),
  ...databases.map((name): Waiter => ({ kind: 'database', name })),
];
