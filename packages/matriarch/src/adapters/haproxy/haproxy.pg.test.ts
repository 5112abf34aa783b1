/*
 * Shows that the rendered configuration is what HAProxy itself accepts, whatever names and paths
 * stand in it, and that the state file is read for every server. (`*.pg.test.ts` because it needs
 * the servers installed.)
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type HaproxyInput,
  haproxyDefaults,
  renderHaproxyConfig,
  renderHaproxyState,
  renderWaitingScript,
} from '@matriarch/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProgram, runProgram } from '../../proxy/daemons/programs.ts';
import type { FileVerdict } from '../../proxy/ports/daemon.ts';
import { askSocket } from './ask-socket.ts';
import { checkHaproxyConfig } from './haproxy-daemon.ts';

let directory: string;
let program: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "mtr it's "));
  program = (await findProgram('haproxy')) ?? 'haproxy';
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const inputFor = (changes: Partial<HaproxyInput> = {}): HaproxyInput => ({
  ...haproxyDefaults,
  members: [
    { name: 'pg-1', host: '127.0.0.1', postgresqlPort: 5432, restPort: 8008 },
    { name: 'Bär; "3" $x#y', host: '::1', postgresqlPort: 5432, restPort: 8008 },
    { name: 'waiting-room', host: 'no-such-host.invalid', postgresqlPort: 5432, restPort: 8008 },
  ],
  write: { host: '*', port: 5432 },
  read: { host: '::1', port: 5433 },
  statistics: { host: '127.0.0.1', port: 8404 },
  paths: {
    runtimeSocket: join(directory, 'haproxy.sock'),
    waitingSocket: join(directory, 'waiting.sock'),
    gateSocket: join(directory, 'gate.sock'),
    stateFile: join(directory, 'servers.state'),
    waitingScript: join(directory, 'waiting.lua'),
  },
  ...changes,
});

const check = async (input: HaproxyInput): Promise<FileVerdict> => {
  const file = join(directory, 'haproxy.cfg');
  await writeFile(input.paths.waitingScript, renderWaitingScript(input.paths.gateSocket));
  const up = { primary: [], replicas: [] };
  await writeFile(input.paths.stateFile, renderHaproxyState(input.members, up, input.checks));
  await writeFile(file, renderHaproxyConfig(input));
  return checkHaproxyConfig({ program, file, run: runProgram });
};

describe('haproxy -c', () => {
  it('accepts odd names, quotes in paths, IPv6 and hosts that cannot be resolved', async () => {
    expect(await check(inputFor())).toEqual({ kind: 'accepted' });
  });

  it('accepts every option', async () => {
    const input = inputFor({
      runAs: { user: 'root', group: 'root' },
      restTls: {},
      readsFallBack: false,
      waitLimitMs: 0,
      maxConnections: 10,
    });
    expect(await check(input)).toEqual({ kind: 'accepted' });
  });

  it('refuses in its own words', async () => {
    const verdict = await check(inputFor({ restTls: { caFile: '/nowhere/ca.crt' } }));
    expect(verdict.kind).toBe('refused');
    expect(verdict).toHaveProperty('complaint', expect.stringContaining('/nowhere/ca.crt'));
  });

  it('finds every server of the state file, and each of them down', async () => {
    const input = inputFor();
    await check(input);
    const result = await runProgram({
      command: program,
      args: ['-c', '-f', join(directory, 'haproxy.cfg')],
      env: { LC_ALL: 'C' },
      limitMs: 10_000,
    });
    const text = result.kind === 'exited' ? result.stderr : '';
    expect(text.match(/is DOWN, changed from server-state/gu)).toHaveLength(6);
    expect(text).not.toContain('server-state application failed');
  });
});

describe('askSocket', () => {
  it('answers why it failed', async () => {
    const path = join(directory, 'nobody.sock');
    expect(await askSocket({ path, text: 'show info', endsInput: false })).toEqual({
      kind: 'failed',
      cause: expect.stringContaining('ENOENT') as string,
    });
  });
});
