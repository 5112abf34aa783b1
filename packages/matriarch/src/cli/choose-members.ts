/** Which members a verb is meant for: those that are named, or all of a role. */
import { randomInt } from 'node:crypto';
import type { StoreSnapshot } from '@matriarch/core';
import { assembleMemberRows } from './output/member-rows.ts';

export const ROLES = ['primary', 'leader', 'replica', 'standby', 'any'] as const;
export type RoleWord = (typeof ROLES)[number];

export interface Choice {
  /** Empty: all that fit. */
  readonly named: readonly string[];
  readonly role: RoleWord;
  readonly pendingOnly: boolean;
  /** One of them, whichever. */
  readonly any: boolean;
}

export type Chosen =
  | { readonly kind: 'chosen'; readonly members: readonly string[] }
  | { readonly kind: 'wrong'; readonly message: string };

const isOfRole = (isLeader: boolean, role: RoleWord): boolean =>
  role === 'any' || (role === 'primary' || role === 'leader') === isLeader;

export const chooseMembers = (
  snapshot: StoreSnapshot,
  choice: Choice,
  draw: (below: number) => number = randomInt,
): Chosen => {
  const { named, role, pendingOnly, any } = choice;
  const rows = assembleMemberRows(snapshot);
  const strangers = named.filter((name) => !rows.some(({ member }) => member === name));
  if (strangers.length > 0)
    return { kind: 'wrong', message: `${strangers.join(', ')}: no such member` };
  const members = rows
    .filter(({ member }) => named.length === 0 || named.includes(member))
    .filter((row) => isOfRole(row.role === 'Leader', role))
    .filter(({ pendingRestart }) => !pendingOnly || pendingRestart)
    .map(({ member }) => member);
  if (members.length === 0) return { kind: 'wrong', message: 'no member fits' };
  if (!any) return { kind: 'chosen', members };
  const drawn = members[draw(members.length)];
  return { kind: 'chosen', members: drawn === undefined ? [] : [drawn] };
};

export const isRoleWord = (word: string): word is RoleWord =>
  (ROLES as readonly string[]).includes(word);
