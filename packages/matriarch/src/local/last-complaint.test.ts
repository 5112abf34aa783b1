/** The last complaint in an agent's log, among everything else that stands there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readLastComplaint } from './last-complaint.ts';

const complaint = (...complaints: readonly string[]): string =>
  JSON.stringify({ level: 'warn', complaints, msg: 'server complained' });

const logWith = (text: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-complaint-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'pg1.log');
  writeFileSync(file, text);
  return file;
};

it('is the last one, in PostgreSQL’s words', () => {
  const file = logWith(
    [
      complaint('2026-11-28 07:23:57.297 UTC [20132] FATAL:  an older one'),
      complaint(
        '2026-11-28 07:24:05.184 UTC [20233] LOG:  could not bind IPv4 address "127.0.0.1"',
        '2026-11-28 07:24:05.184 UTC [20233] HINT:  Is another postmaster on port 5446?',
      ),
      '{"level":"info","msg":"server silent"}',
      '{"level":"warn","complaints":["half a li',
    ].join('\n'),
  );
  expect(readLastComplaint(file)).toBe(
    'LOG: could not bind IPv4 address "127.0.0.1"; HINT: Is another postmaster on port 5446?',
  );
});

it('is found behind a long log', () => {
  const noise = `${JSON.stringify({ msg: 'x'.repeat(1_000) })}\n`.repeat(200);
  expect(readLastComplaint(logWith(`${noise}${complaint('FATAL:  no')}\n`))).toBe('FATAL: no');
});

it('is none where nobody has complained, or there is no log', () => {
  expect(readLastComplaint(logWith('{"msg":"server silent"}\n'))).toBeUndefined();
  expect(readLastComplaint(join(tmpdir(), 'no-such-log'))).toBeUndefined();
});
