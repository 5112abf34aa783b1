/** The story of a fault, read from journals of several members on disk. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { collectSteps, toldEvents } from './journal-steps.ts';

const FAULT_MS = Date.parse('2026-11-23T08:30:00.000Z');

const line = (ms: number, event: string): string =>
  JSON.stringify({ at: new Date(FAULT_MS + ms).toISOString(), event, level: 'info' });

const writeJournals = (journals: Readonly<Record<string, string>>): Map<string, string> => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-drills-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return new Map(
    Object.entries(journals).map(([member, text]) => {
      const file = join(directory, member);
      writeFileSync(file, text);
      return [member, file];
    }),
  );
};

describe('collectSteps', () => {
  it('tells what all members did on one time axis', () => {
    const journals = writeJournals({
      pg1: [line(5, 'server.exited'), line(40, 'server.silent')].join('\n'),
      pg2: [line(60, 'lease.acquired'), line(12, 'server.promoting'), ''].join('\n'),
    });
    expect(collectSteps(journals, FAULT_MS)).toEqual([
      { name: 'server.exited pg1', atMs: 5 },
      { name: 'server.promoting pg2', atMs: 12 },
      { name: 'server.silent pg1', atMs: 40 },
      { name: 'lease.acquired pg2', atMs: 60 },
    ]);
  });

  it('leaves out what was before, and what is detail', () => {
    const journals = writeJournals({
      pg1: [
        line(-1, 'server.exited'),
        line(0, 'server.exited'),
        line(1, 'server.started'),
        JSON.stringify({ at: new Date(FAULT_MS + 2).toISOString(), rule: 'hold' }),
      ].join('\n'),
    });
    expect(collectSteps(journals, FAULT_MS)).toEqual([{ name: 'server.exited pg1', atMs: 0 }]);
  });

  it('passes over lines that were cut off, and journals that are not there', () => {
    const journals = writeJournals({
      pg1: [
        '{"at":"2026-11',
        line(3, 'fork.keeping'),
        'null',
        '7',
        '{"event":"fork.keeping"}',
      ].join('\n'),
    });
    journals.set('pg2', '/no/such/file');
    expect(collectSteps(journals, FAULT_MS)).toEqual([{ name: 'fork.keeping pg1', atMs: 3 }]);
  });
});

describe('what is told', () => {
  const core = new URL('../../../core/src/', import.meta.url);
  const sources = readdirSync(core, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(new URL(name, core), 'utf8'))
    .join('\n');

  it.each(toldEvents)('%s is an event of the core', (name) => {
    expect(sources.includes(`'${name}'`)).toBe(true);
  });
});
