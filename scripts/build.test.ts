/**
 * Shows what the build does besides compiling, on a small tree with a compiler that only ends: the
 * output of sources that are gone is taken away, and every user can read and run the program.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const BUILD = fileURLToPath(new URL('build.mjs', import.meta.url));
const BUILD_LIMIT_MS = 30_000;
const COMPILER = 'node_modules/typescript/bin/tsc';
const FILES = [
  'package.json',
  'node_modules/.package-lock.json',
  'packages/core/package.json',
  'packages/core/src/model/lsn.ts',
  'packages/core/dist/.tsbuildinfo',
  'packages/core/dist/model/lsn.js',
  'packages/core/dist/model/lsn.d.ts',
  'packages/core/dist/model/lsn.js.map',
  'packages/core/dist/model/gone.js',
  'packages/core/dist/model/gone.d.ts',
  'packages/core/dist/model/gone.js.map',
  'packages/matriarch/package.json',
  'packages/matriarch/bin/matriarch.js',
  'packages/matriarch/src/cli.ts',
  'packages/matriarch/dist/cli.js',
  'packages/matriarch/dist/notes.txt',
];

let root = '';

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true, mode: 0o700 });
  writeFileSync(join(root, path), text, { mode: 0o600 });
};

const build = (...args: readonly string[]): number | null =>
  spawnSync(process.execPath, [join(root, 'scripts/build.mjs'), ...args], {
    encoding: 'utf8',
    timeout: BUILD_LIMIT_MS,
  }).status;

const modeOf = (path: string): string => (statSync(join(root, path)).mode & 0o777).toString(8);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'matriarch-build-'));
  chmodSync(root, 0o700);
  for (const path of FILES) write(path, '');
  write(COMPILER, 'process.exitCode = 0;\n');
  write('scripts/build.mjs', '');
  cpSync(BUILD, join(root, 'scripts/build.mjs'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('the build', () => {
  it('takes away the output of sources that are gone, and nothing else', () => {
    expect(build()).toBe(0);
    const gone = FILES.filter((path) => !existsSync(join(root, path)));
    expect(gone).toEqual(FILES.filter((path) => path.includes('gone')));
  });

  it('lets every user read and run the program of a clone made under umask 077', () => {
    expect(build()).toBe(0);
    expect(modeOf('.')).toBe('755');
    expect(modeOf('packages/matriarch')).toBe('755');
    expect(modeOf('packages/matriarch/dist/cli.js')).toBe('755');
    expect(modeOf('packages/matriarch/bin/matriarch.js')).toBe('755');
    expect(modeOf('packages/core/dist/model')).toBe('755');
    expect(modeOf('packages/core/dist/model/lsn.js')).toBe('644');
    expect(modeOf('node_modules/.package-lock.json')).toBe('644');
    expect(modeOf('packages/core/src/model/lsn.ts')).toBe('600');
  });

  it('ends with the compiler’s status', () => {
    write(COMPILER, 'process.exitCode = 2;\n');
    expect(build()).toBe(2);
  });

  it('says so when there is no compiler', () => {
    rmSync(join(root, COMPILER));
    expect(build()).toBe(1);
  });

  it('can take all output away', () => {
    expect(build('--clean')).toBe(0);
    expect(existsSync(join(root, 'packages/core/dist'))).toBe(false);
    expect(existsSync(join(root, 'packages/core/src/model/lsn.ts'))).toBe(true);
  });
});
