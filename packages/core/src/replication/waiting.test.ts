/**
 * Shows which settings of roles and databases are changed, that those of somebody else never are,
 * and what is said of each.
 */
import { describe, expect, it } from 'vitest';
import type { WaitingSetting } from '../model/waiting.ts';
import { planWaiting, reportWaiting } from './waiting.ts';

const role = (name: string, changes: Partial<WaitingSetting> = {}): WaitingSetting => ({
  kind: 'role',
  name,
  value: undefined,
  marked: false,
  canConnect: true,
  ...changes,
});

const onlyRoles = (...roles: readonly string[]) => ({ roles, databases: [] });
const billing = { kind: 'role', name: 'billing' };

describe('a role that is named', () => {
  it.each<[string, Partial<WaitingSetting>, boolean]>([
    ['has no setting', {}, true],
    ['has ours', { value: 'on', marked: true }, false],
    ['carries our mark and another value', { value: 'local', marked: true }, true],
    ['carries our mark alone', { marked: true }, true],
    ['has one of its own', { value: 'local' }, false],
    ['has one of its own that waits', { value: 'remote_apply' }, false],
  ])('and %s', (_what, setting, isSet) => {
    expect(planWaiting([role('billing', setting)], onlyRoles('billing'))).toEqual(
      isSet ? { set: [billing], reset: [] } : undefined,
    );
  });

  it('and does not exist is nothing to change', () => {
    expect(planWaiting([], onlyRoles('billing'))).toBeUndefined();
  });
});

describe('what is named no longer', () => {
  it('loses what we have set, and nothing else', () => {
    const settings = [
      role('billing', { value: 'on', marked: true }),
      role('reports', { value: 'on' }),
      role('ledger', { value: 'on', marked: true }),
      role('ledger', { kind: 'database', value: 'on', marked: true }),
    ];
    expect(planWaiting(settings, { roles: [], databases: ['ledger'] })).toEqual({
      set: [],
      reset: [billing, { kind: 'role', name: 'ledger' }],
    });
  });
});

describe('the report', () => {
  it.each<[string, Partial<WaitingSetting>, object]>([
    ['waits', { value: 'on', marked: true }, { state: 'waits' }],
    ['waits by a setting of its own', { value: 'ON' }, { state: 'waits' }],
    ['waits longer by one of its own', { value: 'remote_apply' }, { state: 'waits' }],
    ['is not set yet', {}, { state: 'not-yet' }],
    ['is not set again yet', { value: 'local', marked: true }, { state: 'not-yet' }],
    [
      'is set otherwise',
      { value: 'remote_write' },
      { state: 'set-otherwise', value: 'remote_write' },
    ],
    ['cannot log in', { value: 'on', marked: true, canConnect: false }, { state: 'no-sessions' }],
  ])('of one that %s', (_what, setting, said) => {
    expect(reportWaiting([role('billing', setting)], onlyRoles('billing'))).toEqual([
      { ...billing, ...said },
    ]);
  });

  it('speaks of all that are named, in their order, and of nobody else', () => {
    const settings = [role('ledger'), role('old', { value: 'on', marked: true })];
    expect(
      reportWaiting(settings, { roles: ['reports', 'ledger'], databases: ['ledger'] }),
    ).toEqual([
      { kind: 'role', name: 'reports', state: 'missing' },
      { kind: 'role', name: 'ledger', state: 'not-yet' },
      { kind: 'database', name: 'ledger', state: 'missing' },
    ]);
  });
});
