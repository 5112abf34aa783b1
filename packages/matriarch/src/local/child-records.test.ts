/** The processes of an `up` on disk, so that a later one finds those that are left. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRunningChildren, forgetChild, recordChild } from './child-records.ts';
import { startTicksOf } from './process-tree.ts';
import { IDLER, startProcess } from './testing/start-process.ts';
import { openTemporaryDirectory } from './testing/temporary-directory.ts';

describe('records', () => {
  it('find what runs', async () => {
    const directory = openTemporaryDirectory();
    const { pid } = await startProcess(IDLER);
    recordChild(directory, { kind: 'member', name: 'pg1' }, pid);
    expect(findRunningChildren(directory)).toEqual([
      { kind: 'member', name: 'pg1', pid, startTicks: startTicksOf(pid) },
    ]);
  });

  it('find the last process of a name, and one of each kind', async () => {
    const directory = openTemporaryDirectory();
    const first = await startProcess(IDLER);
    const second = await startProcess(IDLER);
    recordChild(directory, { kind: 'member', name: 'etcd1' }, first.pid);
    recordChild(directory, { kind: 'store', name: 'etcd1' }, first.pid);
    recordChild(directory, { kind: 'member', name: 'etcd1' }, second.pid);
    const found = findRunningChildren(directory).map(({ kind, pid }) => `${kind} ${pid}`);
    expect(found.sort()).toEqual([`member ${second.pid}`, `store ${first.pid}`]);
  });

  it('do not find what has ended, nor another process with its pid', async () => {
    const directory = openTemporaryDirectory();
    const { pid, ended } = await startProcess(IDLER);
    recordChild(directory, { kind: 'member', name: 'pg1' }, pid);
    process.kill(pid);
    await ended;
    writeFileSync(
      join(directory, 'member.pg2.json'),
      JSON.stringify({ kind: 'member', name: 'pg2', pid: process.pid, startTicks: '1' }),
    );
    expect(findRunningChildren(directory)).toEqual([]);
  });

  it('are forgotten one by one', async () => {
    const directory = openTemporaryDirectory();
    const { pid } = await startProcess(IDLER);
    recordChild(directory, { kind: 'member', name: 'pg1' }, pid);
    recordChild(directory, { kind: 'member', name: 'pg2' }, pid);
    forgetChild(directory, { kind: 'member', name: 'pg1' });
    forgetChild(directory, { kind: 'member', name: 'pg1' });
    expect(readdirSync(directory)).toEqual(['member.pg2.json']);
  });

  it('that are damaged, or not there, are none', () => {
    const directory = openTemporaryDirectory();
    writeFileSync(join(directory, 'member.pg1.json'), '{"pid":');
    expect(findRunningChildren(directory)).toEqual([]);
    expect(findRunningChildren(join(directory, 'missing'))).toEqual([]);
  });

  it('that cannot be written are gone without', async () => {
    const { pid } = await startProcess(IDLER);
    const missing = join(openTemporaryDirectory(), 'missing');
    recordChild(missing, { kind: 'member', name: 'pg1' }, pid);
    expect(findRunningChildren(missing)).toEqual([]);
  });
});
