/**
 * What `matriarch explain` prints for incidents that were recorded on real clusters. The stories are
 * written by the test (`-u`) and reviewed as a diff; what each must say is held here as well.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { type Explanation, type JournalEntry, explain } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import type { Source } from '../../explain/collect-testimonies.ts';
import { parseJournalLine } from '../../explain/parse-lines.ts';
import { assembleExplainJson } from './explain-json.ts';
import { WIDTH, formatExplanation } from './explain-text.ts';

const DIRECTORY = new URL('../../explain/recordings/', import.meta.url);

interface Recording {
  readonly explanation: Explanation;
  readonly sources: readonly Source[];
}

const play = (name: string, shiftMs: Readonly<Record<string, number>> = {}): Recording => {
  const byTeller = new Map<string, JournalEntry[]>();
  for (const line of readFileSync(new URL(`${name}.jsonl`, DIRECTORY), 'utf8').split('\n')) {
    if (line === '') continue;
    const { teller } = JSON.parse(line) as { readonly teller: string };
    const entry = parseJournalLine(teller, line);
    if (entry === undefined) throw new Error(`no line of a journal: ${line}`);
    const wallMs = entry.wallMs + (shiftMs[teller] ?? 0);
    byTeller.set(teller, [...(byTeller.get(teller) ?? []), { ...entry, wallMs }]);
  }
  return {
    explanation: explain([...byTeller].map(([teller, entries]) => ({ teller, entries }))),
    sources: [...byTeller.keys()].map((teller) => ({ teller, from: 'journal' })),
  };
};

const print = ({ explanation, sources }: Recording, colours = false): string =>
  formatExplanation(explanation, { cluster: 'demo', sources, earlier: 0, colours });

const onlyIn = (name: string) => {
  const { incidents } = play(name).explanation;
  const [incident] = incidents;
  expect(incidents).toHaveLength(1);
  if (incident === undefined) throw new Error('there is no incident');
  return incident;
};

const names = readdirSync(DIRECTORY)
  .filter((file) => file.endsWith('.jsonl'))
  .map((file) => file.replace('.jsonl', ''));

describe.each(names)('%s', (name) => {
  it('is told in these words', async () => {
    await expect(`${print(play(name))}\n`).toMatchFileSnapshot(
      `../../explain/recordings/${name}.txt`,
    );
  });

  it('fits a terminal of 100 columns', () => {
    const long = print(play(name))
      .split('\n')
      .filter((line) => line.length > WIDTH && line.trim().includes(' '));
    expect(long).toEqual([]);
  });

  it('says the same with colours as without', () => {
    const escape = String.fromCodePoint(27);
    const coloured = print(play(name), true);
    expect(coloured).toContain(`${escape}[1m`);
    expect(coloured.replaceAll(new RegExp(`${escape}\\[\\d+m`, 'gu'), '')).toBe(print(play(name)));
  });

  it('is JSON that comes back', () => {
    const { explanation, sources } = play(name);
    const assembled = assembleExplainJson(explanation, { cluster: 'demo', sources });
    expect(JSON.parse(JSON.stringify(assembled))).toEqual(assembled);
    expect(assembled).toMatchObject({ cluster: 'demo' });
  });
});

describe('a story', () => {
  it('of a crash says who took over, that nothing was lost, and when the old one was silent', () => {
    expect(onlyIn('crash-handed-over')).toMatchObject({
      kind: 'failover',
      from: 'pg3',
      to: 'pg1',
      missing: [],
      loss: { kind: 'nothing' },
      silences: [{ by: 'guard' }, { by: 'own-report' }],
    });
  });

  it('of a host that is gone does not say that nothing was lost', () => {
    expect(onlyIn('host-gone')).toMatchObject({
      kind: 'failover',
      from: 'pg2',
      missing: ['pg2'],
      isInferred: true,
      loss: { kind: 'unknown' },
      silences: [{ by: 'lease-expiry' }],
    });
  });

  it('of a host that thawed says that what it did then was after all was well', () => {
    expect(onlyIn('host-thawed')).toMatchObject({
      kind: 'failover',
      cause: 'the lease of pg2 was not renewed and expired',
      settled: true,
      missing: [],
      withoutPrimaryMs: 449,
      loss: { kind: 'nothing' },
    });
  });

  it('of a host that came back says what was lost, and where it is kept', () => {
    expect(onlyIn('host-back')).toMatchObject({
      missing: [],
      loss: {
        kind: 'lost',
        from: '0/5027FB0',
        to: '0/5032810',
        bytes: 0x5032810 - 0x5027fb0,
        keptAt: '/var/lib/matriarch/demo/members/pg2/agent/forks/3-0-5027FB0',
      },
    });
  });

  it('of a crash in place says that it moved nowhere', () => {
    expect(onlyIn('restart-in-place')).toMatchObject({
      kind: 'restart-in-place',
      to: 'pg2',
      loss: { kind: 'nothing' },
    });
  });

  it('of a switchover names who was refused and why', () => {
    expect(onlyIn('switchover')).toMatchObject({
      kind: 'switchover',
      from: 'pg1',
      to: 'pg2',
      refusals: [{ kind: 'refused', by: 'pg1', because: expect.stringContaining('pg3 has WAL') }],
    });
  });

  it('is the same when a clock is a minute ahead, and says so', () => {
    const { explanation, sources } = play('crash-handed-over', { pg3: 60_000 });
    expect(explanation.incidents).toHaveLength(1);
    const texts = (one: Explanation): readonly string[] =>
      one.incidents.flatMap(({ steps }) =>
        steps
          // Who saw it first, and so tells of it, is what the clocks decide.
          .filter(({ event }) => event !== 'lease.held' && event !== 'lease.vacant')
          .map(({ teller, text }) => `${teller} ${text}`),
      );
    const isOfPg3 = (text: string): boolean => text.startsWith('pg3 PostgreSQL ended');
    expect(texts(explanation).findIndex(isOfPg3)).toBeLessThan(
      texts(explanation).indexOf('pg1 take the lease'),
    );
    expect(texts(explanation).toSorted()).toEqual(
      texts(play('crash-handed-over').explanation).toSorted(),
    );
    expect(explanation.shiftsMs['pg3']).toBeLessThan(-59_000);
    expect(print({ explanation, sources })).toMatch(/Clocks +pg3’s is \S+ s ahead/);
  });
});

describe('when there is nothing to tell', () => {
  const nothing: Explanation = { incidents: [], shiftsMs: {} };

  it('says so, and who was asked', () => {
    const sources: readonly Source[] = [{ teller: 'pg1', from: 'nowhere', cause: 'no answer' }];
    expect(
      formatExplanation(nothing, { cluster: 'demo', sources, earlier: 0, colours: false }),
    ).toBe(
      'nothing has happened to cluster demo that anybody knows of\n\nTold by  not by pg1 (no answer)',
    );
  });

  it('names what was earlier', () => {
    const text = formatExplanation(nothing, {
      cluster: 'demo',
      sources: [],
      earlier: 2,
      colours: false,
    });
    expect(text).toContain('in that time');
    expect(text).toContain('matriarch explain --last 2');
  });
});
