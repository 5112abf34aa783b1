import type { MemberName } from '../model/member.ts';

/**
 * What `synchronous_standby_names` of a primary says: a commit is acknowledged once `count` of
 * `names` have it on disk. No names: it waits for nobody.
 */
export interface SyncNames {
  /** `first`: PostgreSQL takes them in their order. `any`: whichever are fastest. */
  readonly method: 'first' | 'any';
  readonly count: number;
  readonly names: readonly MemberName[];
}

export const noSyncNames: SyncNames = { method: 'any', count: 0, names: [] };

/**
 * On a standby, in synchronous modes, that knows of nobody else yet. No member has this name; but
 * PostgreSQL looks out for waiting commits from the start, which it begins to do at an unknown
 * moment when names appear later (rule S6).
 */
export const standbySyncNames: SyncNames = {
  method: 'any',
  count: 1,
  names: ['matriarch: not the primary' as MemberName],
};

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The value of the parameter, as PostgreSQL 13 and later read it. Equal names give equal text. */
export const renderSyncNames = ({ method, count, names }: SyncNames): string => {
  if (names.length === 0) return '';
  const list = names.map(quote).join(',');
  if (method === 'any') return `ANY ${count} (${list})`;
  return names.length === 1 && count === 1 ? list : `${count} (${list})`;
};

/** Names are compared as PostgreSQL does it: without regard to case. */
export const isSameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
