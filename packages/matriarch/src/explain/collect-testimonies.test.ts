/** Who is asked, what is taken from the store instead, and what is said of those that are not heard. */
import type { JournalRow, MemberName, Revision, StoreSnapshot } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { type CollectParts, type Fetched, collectTestimonies } from './collect-testimonies.ts';

const AT = '2026-01-31T12:00:00.000Z';

const row = (member: string, at: string | undefined = AT): JournalRow => ({
  member: member as MemberName,
  clock: 5 as JournalRow['clock'],
  at,
  revision: 7 as Revision,
  event: 'server.exited',
  level: 'error',
  because: 'of the rule',
  details: { pid: 9, because: 'of the event' },
});

const storing = (...rows: readonly JournalRow[]): StoreSnapshot => ({
  revision: 9 as Revision,
  members: {},
  journal: {
    value: { rows },
    createRevision: 1 as Revision,
    modRevision: 1 as Revision,
  },
});

const answered = (...lines: readonly object[]): Fetched => ({
  kind: 'answered',
  status: 200,
  text: `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`,
});

const collect = async (answer: Fetched, changes: Partial<CollectParts> = {}) => {
  const asked: string[] = [];
  const collected = await collectTestimonies({
    witnesses: [{ name: 'pg1', apiUrl: 'http://10.0.0.1:8008/patroni' }],
    snapshot: undefined,
    get: async (url) => {
      asked.push(url);
      return answer;
    },
    proxyJournal: undefined,
    ...changes,
  });
  return { ...collected, asked };
};

const SILENT: Fetched = { kind: 'no-answer', cause: 'connection refused' };

describe('a member that answers', () => {
  const line = { at: AT, clock: 12, revision: 3, event: 'server.exited', level: 'error', pid: 4 };

  it('is heard, and the store is not needed', async () => {
    const { testimonies, sources, asked } = await collect(
      answered({ member: 'pg1', complete: true }, line),
      { snapshot: storing(row('pg1')) },
    );
    expect(asked).toEqual(['http://10.0.0.1:8008/matriarch/journal']);
    expect(sources).toEqual([{ teller: 'pg1', from: 'journal', completeSinceMs: undefined }]);
    expect(testimonies).toMatchObject([
      { teller: 'pg1', entries: [{ event: 'server.exited', revision: 3, details: { pid: 4 } }] },
    ]);
    expect(testimonies[0]?.entries).toHaveLength(1);
  });

  it('that has lost its disk is completed by what it told the store before', async () => {
    const { testimonies } = await collect(answered({ member: 'pg1', complete: true }, line), {
      snapshot: storing(row('pg1', '2026-01-31T11:00:00.000Z')),
    });
    expect(testimonies[0]?.entries).toHaveLength(2);
  });

  it('is not told of twice, though the store has a slightly earlier time for it', async () => {
    const { testimonies } = await collect(
      answered({ member: 'pg1', complete: true }, { ...line, clock: 5 }),
      { snapshot: storing(row('pg1', '2026-01-31T11:59:59.990Z')) },
    );
    expect(testimonies[0]?.entries).toHaveLength(1);
  });

  it('says from when on its story is complete', async () => {
    const { sources } = await collect(answered({ member: 'pg1', complete: false }, line));
    expect(sources).toMatchObject([{ completeSinceMs: Date.parse(AT) }]);
  });
});

describe('a member that does not answer', () => {
  it('is told of by the store, with the cause', async () => {
    const { testimonies, sources } = await collect(SILENT, {
      snapshot: storing(row('pg1'), row('pg2')),
    });
    expect(sources).toMatchObject([
      {
        teller: 'pg1',
        from: 'store',
        cause: 'connection refused',
        completeSinceMs: Date.parse(AT),
      },
    ]);
    expect(testimonies).toMatchObject([
      {
        teller: 'pg1',
        entries: [{ event: 'server.exited', because: 'of the event', details: { pid: 9 } }],
      },
    ]);
  });

  it('and of which the store knows nothing is named', async () => {
    const { testimonies, sources } = await collect(SILENT);
    expect(testimonies).toEqual([]);
    expect(sources).toMatchObject([{ teller: 'pg1', from: 'nowhere' }]);
  });

  it.each([
    ['of Patroni', { kind: 'answered', status: 200, text: '{"state": "running"}' }, /no journal/],
    ['that is another one', answered({ member: 'pg9' }), /pg9 answers at its address/],
    ['with an error', { kind: 'answered', status: 500, text: '' }, /status 500/],
    ['with garbage', { kind: 'answered', status: 200, text: '<html>' }, /no journal/],
  ] as const)('is one %s', async (_what, answer, cause) => {
    const { sources } = await collect(answer);
    expect(sources).toMatchObject([{ from: 'nowhere', cause: expect.stringMatching(cause) }]);
  });
});

it('says that the proxy is not on this machine', async () => {
  const { sources } = await collect(SILENT, { proxyJournal: '/no/such/file' });
  expect(sources).toMatchObject([{}, { teller: 'proxy', from: 'nowhere' }]);
});
