/** The last lines of a journal: from one file or two, cut at the limit, whatever is on the disk. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readJournal } from './read-journal.ts';

const open = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-journal-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'journal.jsonl');
};

const line = (number: number): string => JSON.stringify({ at: '2026-01-31', number });
const text = (...numbers: readonly number[]): string =>
  numbers.map((number) => `${line(number)}\n`).join('');

it('is all of it while it is short', async () => {
  const file = open();
  writeFileSync(file, text(1, 2));
  expect(await readJournal(file)).toEqual({ lines: [line(1), line(2)], complete: true });
});

it('goes on in the older file', async () => {
  const file = open();
  writeFileSync(`${file}.1`, text(1, 2));
  writeFileSync(file, text(3));
  expect(await readJournal(file)).toEqual({
    lines: [line(1), line(2), line(3)],
    complete: true,
  });
});

it.each([
  [40, [3]],
  [75, [2, 3]],
])(
  'is the newest whole lines in %d bytes, and says that there are more',
  async (limit, numbers) => {
    const file = open();
    writeFileSync(`${file}.1`, text(1, 2));
    writeFileSync(file, text(3));
    expect(await readJournal(file, limit)).toEqual({ lines: numbers.map(line), complete: false });
  },
);

it('leaves out a line that was cut off', async () => {
  const file = open();
  writeFileSync(file, `${text(1)}{"at":"2026-01\n${text(2)}{"at":`);
  expect((await readJournal(file)).lines).toEqual([line(1), line(2)]);
});

it('is nothing where there is none, or none that can be read', async () => {
  const file = open();
  expect(await readJournal(file)).toEqual({ lines: [], complete: true });
  mkdirSync(file);
  expect(await readJournal(file)).toEqual({ lines: [], complete: true });
});
