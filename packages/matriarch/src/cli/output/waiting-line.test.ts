/** What `list` says of whose commits wait: the names of the configuration, in the leader's words. */
import type { JsonObject, WaiterReport } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { buildSnapshot, memberDocument } from '../../agent/api/testing/build-state.ts';
import { formatMemberTable } from './member-table.ts';
import { formatWaitingLine } from './waiting-line.ts';

const lineOf = (config: JsonObject, waiting?: readonly WaiterReport[], leader = 'pg1') =>
  formatWaitingLine(
    buildSnapshot({
      leader,
      config,
      members: { pg1: memberDocument(1, { waiting }), pg2: memberDocument(2) },
    }),
  );

const role = (name: string, changes: Partial<WaiterReport> = {}): WaiterReport => ({
  kind: 'role',
  name,
  state: 'waits',
  ...changes,
});

describe('the line', () => {
  it('is not there when nobody is named', () => {
    expect(lineOf({})).toBeUndefined();
    expect(lineOf({ synchronous_roles: [] }, [role('billing')])).toBeUndefined();
  });

  it('names roles and databases, and what is in their way', () => {
    const config = { synchronous_roles: ['billing', 'reports'], synchronous_databases: ['ledger'] };
    expect(
      lineOf(config, [
        role('billing'),
        role('reports', { state: 'missing' }),
        role('ledger', { kind: 'database' }),
      ]),
    ).toBe(' Commits wait for a standby: roles billing, reports (not there); database ledger');
  });

  it.each<[WaiterReport, string]>([
    [role('a'), 'role a'],
    [role('a', { state: 'not-yet' }), 'role a (not yet)'],
    [
      role('a', { state: 'set-otherwise', value: 'local' }),
      'role a (set to local by somebody else)',
    ],
    [role('a', { state: 'no-sessions' }), 'role a (cannot log in; its members do not inherit it)'],
  ])('says of %j: %s', (report, words) => {
    expect(lineOf({ synchronous_roles: ['a'] }, [report])).toBe(
      ` Commits wait for a standby: ${words}`,
    );
  });

  it('says that it is not known when the leader has not told, or there is none', () => {
    const config = { synchronous_databases: ['a', 'b'] };
    const unknown = ' Commits wait for a standby: databases a (not known), b (not known)';
    expect(lineOf(config)).toBe(unknown);
    // What a member said when it was the leader counts no longer.
    expect(lineOf(config, [role('a', { kind: 'database' })], 'pg2')).toBe(unknown);
  });

  it('stands between the table and the word on a pause', () => {
    const snapshot = buildSnapshot({ config: { pause: true, synchronous_roles: ['a'] } });
    expect(formatMemberTable('demo', snapshot).split('\n').slice(-2)).toEqual([
      ' Commits wait for a standby: role a (not known)',
      ' Maintenance mode: on',
    ]);
  });
});
