/** The journal in the store: it comes back, and damage keeps nothing else out. */
import { type Instant, type JournalDocument, type Revision, memberName } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { journalCodec } from './journal-codec.ts';

const document: JournalDocument = {
  rows: [
    {
      member: memberName('pg1'),
      clock: 1_234.5 as Instant,
      at: '2026-01-31T12:00:00.000Z',
      revision: 17 as Revision,
      event: 'server.exited',
      level: 'error',
      rule: 'a-rule',
      because: 'größer “als”',
      details: { pid: 7, signal: 'SIGKILL', promoted: true },
    },
    {
      member: memberName('pg2'),
      clock: 0 as Instant,
      at: undefined,
      revision: 0 as Revision,
      event: undefined,
      level: 'info',
      rule: undefined,
      because: undefined,
      details: {},
    },
  ],
};

describe('the journal', () => {
  it('comes back as it was written, in ASCII', () => {
    const text = journalCodec.encode(document);
    expect(text).toMatch(/^[ -~]*$/u);
    expect(journalCodec.decode(text)).toEqual(document);
    expect(journalCodec.decode(text)).toBe(journalCodec.decode(text));
  });

  it.each(['', 'x', 'null', '[]', '{}', '{"rows":7}', '{"rows":[1,null,{}]}'])(
    'that is %j is one without rows',
    (text) => {
      expect(journalCodec.decode(text)).toEqual({ rows: [] });
    },
  );

  it('passes over rows that cannot be read, and details that are none', () => {
    const text =
      '{"rows":[{"member":"pg1"},{"member":"pg1","clock":1,"revision":2,"event":"a.b",' +
      '"level":"info","details":{"deep":{},"list":[],"none":null,"good":1}}]}';
    expect(journalCodec.decode(text)?.rows).toMatchObject([{ event: 'a.b', details: { good: 1 } }]);
    expect(Object.keys(journalCodec.decode(text)?.rows[0]?.details ?? {})).toEqual(['good']);
  });
});
