/** When a member tells in the store what happened: soon, seldom, and not while it has to decide. */
import { describe, expect, it } from 'vitest';
import { type Instant, after } from '../model/instant.ts';
import type { JournalRow } from '../model/journal.ts';
import { memberName } from '../model/member.ts';
import { defaultTags } from '../model/member.ts';
import { defaultPolicy } from '../model/policy.ts';
import type { Revision, StoreSnapshot } from '../model/store.ts';
import { beginVacating } from '../model/vacating.ts';
import { type MemberState, createMember } from '../state.ts';
import { assembleView } from '../view/view.ts';
import { JOURNAL_INTERVAL_MS, JOURNAL_WAIT_MAX_MS, publishJournal } from './journal-chores.ts';

const NOW = 100_000 as Instant;

const row = (ageMs: number): JournalRow => ({
  member: memberName('alpha'),
  clock: after(NOW, -ageMs),
  revision: 7 as Revision,
  event: 'server.exited',
  level: 'error',
  details: {},
});

const snapshot = (changes: Partial<StoreSnapshot> = {}): StoreSnapshot => ({
  revision: 50 as Revision,
  members: {},
  ...changes,
});

const self = {
  name: memberName('alpha'),
  address: 'alpha:5432',
  connUrl: '',
  apiUrl: '',
  tags: defaultTags,
  life: { host: '', run: '' },
  bootstrapConfig: undefined,
  mayTakeOverData: false,
};

const ask = (changes: Partial<MemberState>) =>
  publishJournal(
    assembleView({
      ...createMember(self, defaultPolicy),
      now: NOW,
      startedAt: NOW,
      snapshot: { value: snapshot(), at: NOW },
      ...changes,
    }),
  );

describe('a member with something to tell', () => {
  it('writes it by compare-and-swap after a second', () => {
    const before = { rows: [{ ...row(0), member: memberName('bravo') }] };
    const store = snapshot({
      journal: { value: before, createRevision: 3 as Revision, modRevision: 9 as Revision },
    });
    const journal = [row(JOURNAL_INTERVAL_MS)];
    expect(ask({ journal, snapshot: { value: store, at: NOW } })).toEqual({
      action: {
        kind: 'transact',
        purpose: 'publish-journal',
        transaction: {
          compares: [{ key: 'journal', modRevision: 9 }],
          writes: [{ key: 'journal', put: { rows: [...before.rows, ...journal] } }],
        },
      },
    });
  });

  it('collects for a second, and waits a second between two writes', () => {
    const soon = after(NOW, JOURNAL_INTERVAL_MS - 10);
    expect(ask({ journal: [row(10)] })).toEqual({ askAgainAt: soon });
    expect(ask({ journal: [row(5_000)], journalAt: after(NOW, -10) })).toEqual({
      askAgainAt: soon,
    });
  });

  it.each([
    ['hands over', { vacating: beginVacating('crash', NOW) }],
    ['looks for a primary', { vacantSince: NOW }],
  ])('waits while it %s, but not for ever', (_what, changes: Partial<MemberState>) => {
    expect(ask({ journal: [row(2_000)], ...changes })).toEqual({
      askAgainAt: after(NOW, JOURNAL_WAIT_MAX_MS - 2_000),
    });
    expect(ask({ journal: [row(JOURNAL_WAIT_MAX_MS)], ...changes })).toHaveProperty('action');
  });

  it('writes at once when it leaves: there is no later', () => {
    expect(ask({ journal: [row(0)], leaving: { since: NOW } })).toHaveProperty('action');
  });

  it('writes as always while it cannot leave: its server does not end', () => {
    const stuck = { journal: [row(0)], leaving: { since: NOW }, fenceFailures: 1 };
    expect(ask(stuck)).toHaveProperty('askAgainAt');
  });

  it('does not try while the store is out, or was never read', () => {
    const journal = [row(5_000)];
    expect(ask({ journal, storeFailingSince: after(NOW, -60_000) })).toBeUndefined();
    expect(ask({ journal, snapshot: undefined })).toBeUndefined();
  });
});

describe('a member with nothing to tell', () => {
  it('writes nothing', () => {
    expect(ask({})).toBeUndefined();
  });
});
