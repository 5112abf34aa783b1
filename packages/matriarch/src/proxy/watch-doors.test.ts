/* Shows what is done when more than one server takes writes. */
import { type Routes, memberName } from '@matriarch/core';
import { expect, it } from 'vitest';
import type { BalancedServer } from './ports/balancer.ts';
import { planSecondWriters } from './watch-doors.ts';

const a = memberName('a');
const b = memberName('b');

const up = (member: typeof a, door: 'write' | 'read' = 'write'): BalancedServer => ({
  door,
  member,
  isUp: true,
  address: '127.0.0.1',
});
const down = (member: typeof a): BalancedServer => ({ ...up(member), isUp: false });
const to = (write: typeof a | undefined): Routes => ({
  write,
  term: undefined,
  reads: [],
  lost: [],
  because: '',
});

it('takes out who does not hold the lease, and ends its sessions', () => {
  expect(planSecondWriters([up(a), up(b)], to(a))).toEqual([
    { kind: 'lower', door: 'write', member: b },
    { kind: 'end-sessions', door: 'write', member: b },
  ]);
});

it.each([
  ['one that is up', [up(a), down(b)], to(a)],
  ['one that is up and is not the holder: the checks may know better', [down(a), up(b)], to(a)],
  ['two without a holder', [up(a), up(b)], to(undefined)],
  ['two before the store was read', [up(a), up(b)], undefined],
  ['servers behind the other door', [up(a), up(a, 'read'), up(b, 'read')], to(a)],
])('leaves %s', (_what, servers, routes) => {
  expect(planSecondWriters(servers, routes)).toEqual([]);
});
