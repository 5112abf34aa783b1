/**
 * Shows what is installed for which run: from what was found on a machine to the commands, or to
 * the sentence that says what to do instead. The commands themselves are not run here.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findProgram } from './prepare/look.mjs';
import {
  LISTS_AGE_MAX_MS,
  type Machine,
  PROGRAMS,
  PURPOSES,
  areModulesMissing,
  parseArguments,
  planPreparation,
} from './prepare/plan.mjs';

const SCRIPT_LIMIT_MS = 30_000;

const READY: Machine = {
  nodeVersion: 'v20.19.0',
  modulesMissing: false,
  missing: [],
  hasApt: true,
  isRoot: true,
  canSudo: false,
  listsAgeMs: 0,
  mayAsk: false,
};

const needing = (...packages: readonly string[]): Machine['missing'] =>
  PROGRAMS.filter((program) => packages.includes(program.package));

const commandsFor = (machine: Machine): readonly string[] => {
  const plan = planPreparation(machine);
  return plan.kind === 'refused'
    ? [plan.message]
    : plan.steps.map(({ command }) => command.join(' '));
};

describe('the plan', () => {
  it('is empty on a machine that is ready', () => {
    expect(planPreparation({ ...READY, mayAsk: true })).toEqual({
      kind: 'steps',
      ask: false,
      needs: [],
      steps: [],
    });
  });

  it('installs Debian packages first, then npm’s', () => {
    const machine = { ...READY, modulesMissing: true, missing: needing('etcd-server', 'haproxy') };
    expect(commandsFor(machine)).toEqual([
      'bash scripts/prepare/install-packages.sh etcd-server haproxy',
      'npm ci --include=dev',
    ]);
  });

  it('goes through sudo when it is not root', () => {
    const machine = { ...READY, isRoot: false, canSudo: true, missing: needing('haproxy') };
    expect(commandsFor(machine)).toEqual(['sudo bash scripts/prepare/install-packages.sh haproxy']);
  });

  it.each([
    ['missing', undefined, true],
    ['old', LISTS_AGE_MAX_MS + 1, true],
    ['fresh', LISTS_AGE_MAX_MS, false],
  ])('with %s lists of packages fetches them: %s', (_what, listsAgeMs, updates) => {
    const [command] = commandsFor({ ...READY, listsAgeMs, missing: needing('haproxy') });
    expect(command?.includes('--update')).toBe(updates);
  });

  it('asks only where somebody can answer', () => {
    const machine = { ...READY, modulesMissing: true };
    expect(planPreparation({ ...machine, mayAsk: true })).toMatchObject({ ask: true });
    expect(planPreparation({ ...machine, mayAsk: false })).toMatchObject({ ask: false });
  });

  it('needs neither root nor apt for npm packages alone', () => {
    const machine = { ...READY, isRoot: false, hasApt: false, modulesMissing: true };
    expect(commandsFor(machine)).toEqual(['npm ci --include=dev']);
  });

  it('is refused with the exact command when nobody may install', () => {
    const machine = { ...READY, isRoot: false, missing: needing('postgresql', 'etcd-server') };
    const plan = planPreparation({ ...machine, listsAgeMs: undefined });
    expect(plan).toMatchObject({ kind: 'refused' });
    expect(commandsFor({ ...machine, listsAgeMs: undefined })).toEqual([
      expect.stringContaining(
        "su -c 'bash scripts/prepare/install-packages.sh --update postgresql etcd-server'",
      ),
    ]);
  });

  it('is refused with the packages’ names where there is no apt', () => {
    const machine = { ...READY, hasApt: false, missing: needing('postgresql', 'pgbouncer') };
    const [message] = commandsFor(machine);
    expect(planPreparation(machine).kind).toBe('refused');
    expect(message).toContain('the PostgreSQL server (postgresql), PgBouncer (pgbouncer)');
    expect(message).toContain('apt-get install --no-install-recommends postgresql pgbouncer\n');
  });

  it.each([
    ['v18.20.4', 'refused'],
    ['v20.18.1', 'refused'],
    ['v20.19.0', 'steps'],
    ['v22.0.0', 'steps'],
    ['v100.1.0', 'steps'],
  ])('on Node %s is: %s', (nodeVersion, kind) => {
    expect(planPreparation({ ...READY, nodeVersion }).kind).toBe(kind);
  });
});

describe('what a run needs', () => {
  const packagesFor = (purpose: (typeof PURPOSES)[number]): readonly string[] =>
    PROGRAMS.filter((program) => program.for.includes(purpose)).map((program) => program.package);

  it('is less for the demo than for the tests', () => {
    const demo = ['postgresql', 'etcd-server', 'haproxy', 'pgbouncer', 'util-linux'];
    expect(packagesFor('demo')).toEqual(demo);
    expect(packagesFor('bench')).toEqual(demo);
    expect(packagesFor('test').toSorted()).toEqual([...demo, 'etcd-client', 'iproute2'].toSorted());
  });
});

describe('the options', () => {
  it('are read', () => {
    expect(parseArguments(['--for', 'demo'])).toEqual({
      kind: 'parsed',
      purpose: 'demo',
      yes: false,
    });
    expect(parseArguments(['--yes', '--for', 'test'])).toMatchObject({
      purpose: 'test',
      yes: true,
    });
  });

  it.each([
    [[], 1],
    [['--for'], 1],
    [['--for', 'fun'], 1],
    [['--for', 'fun', '--now', '-y'], 3],
  ])('%j are all refused at once: %i', (args, count) => {
    const request = parseArguments(args);
    expect(request.kind === 'mistakes' ? request.mistakes : []).toHaveLength(count);
  });
});

describe('npm’s modules', () => {
  const wanted = {
    '': { version: '0.1.0' },
    'packages/core': { version: '0.1.0' },
    'node_modules/@matriarch/core': { link: true },
    'node_modules/pg': { version: '8.1.0' },
    'node_modules/tool-win32': { version: '1.0.0', optional: true },
  };
  const present = { 'node_modules/pg': { version: '8.1.0' } };

  it('are there when all that this platform needs is there', () => {
    expect(areModulesMissing(wanted, present)).toBe(false);
  });

  it.each([
    ['nothing was installed', undefined],
    ['one is absent', {}],
    ['one has another version', { 'node_modules/pg': { version: '8.0.0' } }],
  ])('are missing when %s', (_what, found) => {
    expect(areModulesMissing(wanted, found)).toBe(true);
  });
});

describe('looking for a program', () => {
  const pair = { name: 'a pair', files: ['one', 'two'], package: 'pair', for: PURPOSES };
  let directory = '';

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'matriarch-prepare-'));
    vi.stubEnv('PATH', `${join(directory, 'a')}:${join(directory, 'b')}`);
    for (const path of ['a', 'b']) mkdirSync(join(directory, path));
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true, force: true });
  });

  const install = (path: string, mode = 0o755): void => {
    writeFileSync(join(directory, path), '#!/bin/sh\n');
    chmodSync(join(directory, path), mode);
  };

  it('wants all of its executables in one place', () => {
    install('a/one');
    install('b/two');
    expect(findProgram(pair)).toBeUndefined();
    install('b/one');
    expect(findProgram(pair)).toBe(join(directory, 'b'));
  });

  it('wants files that can be executed', () => {
    install('a/one', 0o644);
    install('a/two');
    expect(findProgram(pair)).toBeUndefined();
    rmSync(join(directory, 'a/one'));
    mkdirSync(join(directory, 'a/one'));
    expect(findProgram(pair)).toBeUndefined();
  });
});

describe('the command', () => {
  const script = fileURLToPath(new URL('prepare.mjs', import.meta.url));
  const installer = fileURLToPath(new URL('prepare/install-packages.sh', import.meta.url));

  it('ends with 2 on wrong usage', () => {
    const run = spawnSync(process.execPath, [script, '--for', 'fun'], {
      encoding: 'utf8',
      timeout: SCRIPT_LIMIT_MS,
    });
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('--for "fun" is not known; it is one of demo, test, bench');
  });

  it('has an installer that installs nothing without names', () => {
    const run = spawnSync('bash', [installer], { encoding: 'utf8', timeout: SCRIPT_LIMIT_MS });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('usage: install-packages.sh [--update] PACKAGE...');
  });
});
