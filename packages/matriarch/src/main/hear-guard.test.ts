/** What the guard says as inputs of the loop, and a file that is read again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Input, Instant, LeaseId, ServerExit } from '@matriarch/core';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { buildState } from '../agent/api/testing/build-state.ts';
import type { Logger } from '../agent/log.ts';
import { createDynamicSettings } from '../agent/loop/dynamic-settings.ts';
import { writeAgentFile } from '../agent/loop/testing/build-config.ts';
import { loadAgentConfig } from '../agent/loop/load-config.ts';
import { hear, reloadFile } from './hear-guard.ts';

// The file alone is what is shown here.
beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (name.startsWith('PATRONI_')) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const openLoop = () => {
  const fed: Input[] = [];
  const loop = {
    state: () => buildState(),
    feed: (input: Input) => fed.push(input),
    stop: () => undefined,
  };
  return { fed, loop };
};

describe('a notice', () => {
  const exit: ServerExit = {
    pid: 7,
    startedAs: 'primary',
    promoted: false,
    code: null,
    signal: 'SIGKILL',
  };

  it('is an input of the loop', () => {
    const { fed, loop } = openLoop();
    const server = { kind: 'none', silent: true } as const;
    const said = { leaseId: '7' as LeaseId, deadline: 9 as Instant };
    const never = (): never => {
      throw new Error('nobody asked for it');
    };
    hear({ kind: 'hello', incarnation: 3, process: server, ...said }, loop, never);
    hear({ kind: 'server-exited', exit }, loop, never);
    hear({ kind: 'guard-fenced', silent: false }, loop, never);
    hear({ kind: 'signal', signal: 'SIGTERM' }, loop, never);
    expect(fed).toEqual([
      { kind: 'guard-hello', incarnation: 3, process: server, ...said },
      { kind: 'server-exited', exit },
      { kind: 'guard-fenced', silent: false },
      { kind: 'request', request: { kind: 'shut-down' } },
    ]);
  });

  it('of SIGHUP has the file read again', () => {
    const { fed, loop } = openLoop();
    let reloads = 0;
    hear({ kind: 'signal', signal: 'SIGHUP' }, loop, () => {
      reloads += 1;
    });
    expect([reloads, fed]).toEqual([1, []]);
  });
});

describe('reading the file again', () => {
  const open = () => {
    const directory = mkdtempSync(join(tmpdir(), 'matriarch-reload-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'patroni.yml');
    const write = (changes: Readonly<Record<string, object>>): void =>
      writeFileSync(file, writeAgentFile({ matriarch: { state_dir: directory }, ...changes }));
    write({});
    const loaded = loadAgentConfig(file, {});
    if (loaded.kind === 'wrong') throw new Error(loaded.message);
    const lines: string[] = [];
    const line =
      (level: string) =>
      (details: object, message: string): void => {
        lines.push(`${level} ${message} ${JSON.stringify(details)}`);
      };
    const log = { info: line('info'), warn: line('warn'), error: line('error') };
    const settings = createDynamicSettings(loaded.config, log);
    if ('kind' in settings) throw new Error(settings.message);
    const { fed, loop } = openLoop();
    const applied: boolean[] = [];
    const reload = (): void =>
      reloadFile({
        file,
        settings,
        log: log as unknown as Logger,
        loop,
        applySettings: (changed) => applied.push(changed),
      });
    return { file, write, reload, lines, fed, applied, settings };
  };

  it('tells the loop of the tags, and applies the settings', () => {
    const { write, reload, fed, applied, settings } = open();
    write({ tags: { nofailover: true }, postgresql: { parameters: { work_mem: '7MB' } } });
    reload();
    expect(fed).toMatchObject([{ kind: 'tags-changed', tags: { nofailover: true } }]);
    expect(applied).toEqual([true]);
    expect(settings.server().parameters['work_mem']).toBe('7MB');
    reload();
    expect(applied).toEqual([true, false]);
  });

  it('changes nothing when the file is wrong, and says what is', () => {
    const { file, reload, lines, fed, applied } = open();
    writeFileSync(file, 'scope: demo\n');
    reload();
    expect([fed, applied]).toEqual([[], []]);
    expect(lines[0]).toContain('error configuration is wrong, the last one stays');
    expect(lines[0]).toContain('restapi');
  });
});
