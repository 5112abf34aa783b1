/**
 * Shows where programs are looked for and what is said of missing ones. With directories of small
 * scripts that answer --version, run for real.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunCommand } from '../../agent/ports/run-command.ts';
import { findBinaries } from './binaries.ts';

const PROGRAMS = [
  'postgres',
  'initdb',
  'pg_controldata',
  'pg_basebackup',
  'pg_rewind',
  'pg_waldump',
];

/** The library's own matcher is of type any. */
const containing = (text: string): unknown => expect.stringContaining(text);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'matriarch-bin-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const run: RunCommand = ({ command, args }) =>
  new Promise((resolve) => {
    execFile(command, [...args], (error, stdout, stderr) =>
      resolve(
        error === null
          ? { kind: 'exited', code: 0, stdout, stderr }
          : { kind: 'not-found', command },
      ),
    );
  });

const install = async (name: string, version: string): Promise<string> => {
  const path = join(directory, name);
  await mkdir(path, { recursive: true });
  for (const program of PROGRAMS) {
    await writeFile(join(path, program), `#!/bin/sh\necho "${program} (PostgreSQL) ${version}"\n`);
    await chmod(join(path, program), 0o755);
  }
  return path;
};

const find = (binDirectory: string) =>
  findBinaries({ binDirectory, dataDirectory: join(directory, 'none'), run });

describe('findBinaries', () => {
  it('finds all of one version', async () => {
    const path = await install('a', '15.18 (Debian 15.18-0+deb12u1)');
    expect(await find(path)).toMatchObject({
      kind: 'found',
      binaries: { majorVersion: 15, pg_rewind: join(path, 'pg_rewind') },
    });
    expect(await find(await install('beta', '18beta1'))).toMatchObject({
      binaries: { majorVersion: 18 },
    });
  });

  it('follows a link to where the other programs are', async () => {
    const path = await install('real', '16.1');
    await mkdir(join(directory, 'link'));
    await symlink(join(path, 'postgres'), join(directory, 'link/postgres'));
    expect(await find(join(directory, 'link'))).toMatchObject({
      kind: 'found',
      binaries: { postgres: join(path, 'postgres') },
    });
  });

  it('names the package of each one that is missing', async () => {
    const path = await install('a', '15.18');
    await rm(join(path, 'pg_rewind'));
    await rm(join(path, 'pg_basebackup'));
    expect(await find(path)).toEqual({
      kind: 'missing',
      problems: [
        `${path}/pg_basebackup cannot be run: install the package postgresql-client-15`,
        `${path}/pg_rewind cannot be run: install the package postgresql-15`,
      ],
    });
  });

  it('says where it looked when there is nothing', async () => {
    const found = await find(join(directory, 'nowhere'));
    expect(found.kind === 'missing' && found.problems.join()).toContain('install the package');
    expect(found.kind === 'missing' && found.problems.join()).toContain(`${directory}/nowhere`);
  });

  it.each(['12.9', '19.0'])('refuses version %s', async (version) => {
    const found = await find(await install('old', version));
    expect(found.kind === 'missing' && found.problems).toEqual([
      containing('supported are 13 to 18'),
    ]);
  });

  it('refuses a mixture', async () => {
    const path = await install('a', '15.18');
    await writeFile(join(path, 'pg_waldump'), '#!/bin/sh\necho "pg_waldump (PostgreSQL) 14.1"\n');
    expect(await find(path)).toEqual({
      kind: 'missing',
      problems: [
        `${path}/pg_waldump has version 14, postgres beside it 15: set postgresql.bin_dir`,
      ],
    });
  });
});
