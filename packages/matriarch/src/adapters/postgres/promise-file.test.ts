/** What a member has promised outlives its loop, and its host's clock, on a real disk. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Instant, type LeaseTerm, memberName } from '@matriarch/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PostgresContext } from './context.ts';
import { createPromiseFile } from './promise-file.ts';

const PROMISE = {
  to: memberName('pg1'),
  term: 40 as LeaseTerm,
  ttlMs: 30_000,
  until: 5_000_000 as Instant,
};

const open = () => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-promise-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const stateDirectory = join(directory, 'state');
  const context = { config: { matriarch: { stateDirectory } }, owner: undefined };
  const inBoot = (boot: string) =>
    createPromiseFile(context as unknown as PostgresContext, { boot, ttlMs: () => 20_000 });
  return { inBoot, path: join(stateDirectory, 'failsafe-promise.json') };
};

describe('a promise on disk', () => {
  it('is not there before one was given', async () => {
    expect(await open().inBoot('boot-1').read()).toBeUndefined();
  });

  it('is what was written last, readable by its owner alone', async () => {
    const { inBoot, path } = open();
    const file = inBoot('boot-1');
    const later = { ...PROMISE, until: 5_010_000 as Instant };
    for (const promise of [PROMISE, later])
      expect(await file.write(promise)).toEqual({ kind: 'done' });
    expect(await file.read()).toEqual(later);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('has no instant in another boot', async () => {
    const { inBoot } = open();
    await inBoot('boot-1').write(PROMISE);
    const { until: _until, ...rest } = PROMISE;
    expect(await inBoot('boot-2').read()).toEqual(rest);
  });

  it.each(['', 'nonsense', '[]', '{"to":"pg1"}', 'null'])(
    'counts for a whole ttl when it reads %j',
    async (text) => {
      const { inBoot, path } = open();
      const file = inBoot('boot-1');
      await file.write(PROMISE);
      writeFileSync(path, text);
      expect(await file.read()).toEqual({ to: undefined, term: undefined, ttlMs: 20_000 });
    },
  );

  it('is not said to be kept when the disk does not take it', async () => {
    const { inBoot, path } = open();
    writeFileSync(join(path, '..', '..', 'state'), 'a file in the way');
    expect(await inBoot('boot-1').write(PROMISE)).toMatchObject({ kind: 'failed' });
  });
});
