/**
 * A log is read on from where it was read last, and each of its lines once: while it grows, after it
 * was renamed, emptied, removed or begun anew under another name; and never more than a part of it.
 */
import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, open, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BACKLOG_BYTES_MAX, type Followed, followLog, type LogFile } from './follow-log.ts';

const CANCELLED = 'WARNING:  canceling wait for synchronous replication due to user request\n';
const STOPPING = 'LOG:  received fast shutdown request\n';
const TERMINATED =
  'WARNING:  canceling the wait for synchronous replication and terminating connection ' +
  'due to administrator command\n';
const OTHER = 'LOG:  checkpoint complete: wrote 3 buffers (0.0%)\n';
const MEBIBYTE = 1024 * 1024;

let directory: string;
let log: LogFile;
let last: Followed | undefined;

const fileAt = (name: string): LogFile => {
  const path = join(directory, name);
  return { opened: path, path, format: 'stderr' };
};

/** Reads on, and tells what was found. */
const read = async (from: LogFile = log): Promise<number> => {
  last = await followLog(from, last?.place);
  return last.cancelled;
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'matriarch-log-'));
  log = fileAt('postgresql.log');
  last = undefined;
  await writeFile(log.path, CANCELLED);
});
afterEach(() => rm(directory, { recursive: true }));

describe('a log', () => {
  it('is read from its end on, at first, and from there once', async () => {
    expect(await read()).toBe(0);
    await appendFile(log.path, OTHER + CANCELLED + OTHER + CANCELLED);
    expect(await read()).toBe(2);
    expect(await read()).toBe(0);
  });

  it('is read by whole lines', async () => {
    await read();
    const cut = OTHER + CANCELLED;
    await appendFile(log.path, cut.slice(0, -20));
    expect(await read()).toBe(0);
    await appendFile(log.path, cut.slice(-20));
    expect(await read()).toBe(1);
  });

  it('that is emptied in place is read from its beginning', async () => {
    await appendFile(log.path, OTHER.repeat(10));
    await read();
    await truncate(log.path);
    await appendFile(log.path, CANCELLED);
    expect(await read()).toBe(1);
  });

  it('that goes on under another name is read to its end, and then the new one', async () => {
    await read();
    await appendFile(log.path, CANCELLED);
    const next = fileAt('postgresql-2.log');
    await writeFile(next.path, CANCELLED + CANCELLED);
    expect(await read(next)).toBe(3);
    expect(await read(next)).toBe(0);
  });

  it('that is renamed while its server writes on is the same', async () => {
    const server = await open(log.path, 'a');
    const opened = `/proc/self/fd/${server.fd}`;
    const inUse = { ...log, opened };
    await read(inUse);
    await rename(log.path, `${log.path}.1`);
    await writeFile(log.path, '');
    await server.appendFile(CANCELLED);
    expect(await read(inUse)).toBe(1);
    await server.close();
  });

  it('whose last lines were removed with it is read on in the next', async () => {
    await read();
    const next = fileAt('next.log');
    await writeFile(next.path, CANCELLED);
    await rm(log.path);
    expect(await read(next)).toBe(1);
  });

  it('remembers a stop across files', async () => {
    await read();
    await appendFile(log.path, STOPPING);
    const next = fileAt('next.log');
    await writeFile(next.path, TERMINATED);
    await read(next);
    expect(last).toMatchObject({ terminated: 0, place: { isStopping: true } });
  });

  it('that is a pipe without a writer is empty', async () => {
    const pipe = fileAt('pipe');
    execFileSync('mkfifo', [pipe.path]);
    await read();
    expect(await read(pipe)).toBe(0);
  });

  it('that cannot be opened is a fault of the disk', async () => {
    await expect(read(fileAt('nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a large log', () => {
  it('is read in parts, and says that there is more', async () => {
    await read();
    const page = OTHER.repeat(Math.ceil((17 * MEBIBYTE) / OTHER.length));
    await appendFile(log.path, CANCELLED + page + CANCELLED);
    expect(await read()).toBe(1);
    expect(last?.isBehind).toBe(true);
    expect(await read()).toBe(1);
    expect(last?.isBehind).toBe(false);
  });

  it('with a line longer than any is read on behind it', async () => {
    await read();
    await appendFile(log.path, `LOG:  statement: ${'x'.repeat(MEBIBYTE)}\n${CANCELLED}`);
    expect(await read()).toBe(1);
  });

  it('of which too much was written is read at its end only, and says so', async () => {
    await read();
    const from = last?.place.offset ?? 0;
    // A hole: nothing of it is on the disk.
    await truncate(log.path, from + BACKLOG_BYTES_MAX + 5 * MEBIBYTE);
    await appendFile(log.path, `\n${CANCELLED}`);
    expect(await read()).toBe(0);
    expect(last?.skippedBytes).toBe(5 * MEBIBYTE + 1 + CANCELLED.length);
    let found = 0;
    while (last?.isBehind === true) found += await read();
    expect(found).toBe(1);
  });
});
