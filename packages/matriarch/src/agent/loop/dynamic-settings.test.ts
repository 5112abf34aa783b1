/**
 * The cluster-wide configuration in force: what is taken from the store, what stays when it is wrong,
 * and what a member starts with while the store is out. Files are real.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject, Revision, StoreSnapshot } from '@matriarch/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildSnapshot, buildState } from '../api/testing/build-state.ts';
import {
  type DynamicSettings,
  createDynamicSettings,
  followConfiguration,
} from './dynamic-settings.ts';
import { buildAgentConfig } from './testing/build-config.ts';

const openDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-settings-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

interface Bench {
  readonly settings: DynamicSettings;
  readonly warnings: string[];
  readonly directory: string;
}

type Changes = Readonly<Record<string, object>>;

const configIn = (directory: string, changes: Changes = {}) =>
  buildAgentConfig({ matriarch: { state_dir: directory }, ...changes });

const open = (directory = openDirectory(), changes: Changes = {}): Bench => {
  const warnings: string[] = [];
  const settings = createDynamicSettings(configIn(directory, changes), {
    warn: (details, message) => warnings.push(`${message} ${JSON.stringify(details)}`),
  });
  if ('kind' in settings) throw new Error(settings.message);
  return { settings, warnings, directory };
};

const dcs = (document: object): Changes => ({ bootstrap: { dcs: document } });

let revisions = 100;
const stored = (value: JsonObject, modRevision = (revisions += 1)): StoreSnapshot => {
  const snapshot = buildSnapshot();
  const { config } = snapshot;
  if (config === undefined) throw new Error('no configuration');
  return { ...snapshot, config: { ...config, value, modRevision: modRevision as Revision } };
};

describe('at first', () => {
  it('what a new cluster begins with is in force', () => {
    const { settings } = open(
      undefined,
      dcs({ ttl: 40, postgresql: { parameters: { work_mem: '8MB' } } }),
    );
    expect(settings.policy().ttlMs).toBe(40_000);
    expect(settings.server().parameters['work_mem']).toBe('8MB');
    expect(settings.document()).toMatchObject({ ttl: 40 });
  });

  it('it is what the store said last', () => {
    const directory = openDirectory();
    open(directory).settings.take(stored({ ttl: 50 }));
    const { settings } = open(directory, dcs({ ttl: 40 }));
    expect(settings.policy().ttlMs).toBe(50_000);
  });

  it.each(['', 'null', '[1]', '"text"', '{"ttl":'])(
    'a kept file that reads %j does not count',
    (text) => {
      const directory = openDirectory();
      writeFileSync(join(directory, 'dynamic.json'), text);
      const { settings, warnings } = open(directory, dcs({ ttl: 40 }));
      expect(settings.policy().ttlMs).toBe(40_000);
      expect(warnings).toEqual([]);
    },
  );

  it('a kept file that is wrong does not stand in the way', () => {
    const directory = openDirectory();
    writeFileSync(join(directory, 'dynamic.json'), '{"ttl":"a while"}');
    const { settings, warnings } = open(directory, dcs({ ttl: 40 }));
    expect(settings.policy().ttlMs).toBe(40_000);
    expect(warnings.join()).toContain('kept cluster configuration is wrong');
    expect(warnings.join()).toContain('a while');
  });

  it('a mistake of the member’s own file is told', () => {
    const config = configIn(openDirectory());
    const wrong = {
      ...config,
      bootstrap: { dcs: { ttl: 'a while' }, initdbOptions: [], pgHba: [] },
    };
    const settings = createDynamicSettings(wrong, { warn: () => undefined });
    expect('kind' in settings ? settings.message : '').toContain('a while');
  });

  it('corrections are warned of', () => {
    const { settings, warnings } = open(undefined, dcs({ ttl: 5 }));
    expect(settings.policy().ttlMs).toBe(20_000);
    expect(warnings[0]).toContain('cluster configuration is corrected');
    expect(warnings[0]).toContain('ttl');
  });
});

describe('taking a snapshot', () => {
  it('answers whether the policy is another one now', () => {
    const { settings } = open(undefined, dcs({ ttl: 40 }));
    expect(settings.take(stored({ ttl: 40 }))).toBe(false);
    expect(settings.take(stored({ ttl: 50 }))).toBe(true);
    expect(settings.policy().ttlMs).toBe(50_000);
    expect(settings.take(stored({ ttl: 50, loop_wait: 9 }))).toBe(true);
    expect(settings.policy()).toMatchObject({ ttlMs: 50_000, loopWaitMs: 9_000 });
  });

  it('sees a change of parameters as one of the policy, which has their version', () => {
    const { settings } = open();
    const before = settings.policy().serverConfigVersion;
    expect(settings.take(stored({ postgresql: { parameters: { work_mem: '9MB' } } }))).toBe(true);
    expect(settings.policy().serverConfigVersion).not.toBe(before);
    expect(settings.server().parameters['work_mem']).toBe('9MB');
  });

  it('sees a change of figures beyond a number', () => {
    const { settings } = open();
    expect(settings.take(stored({ maximum_lag_on_failover: 5 }))).toBe(true);
    expect(settings.policy().maximumLagOnFailoverBytes).toBe(5n);
  });

  it('reads each revision once', () => {
    const { settings, warnings } = open();
    const snapshot = stored({ ttl: 'a while' });
    settings.take(snapshot);
    settings.take(snapshot);
    expect(warnings).toHaveLength(1);
  });

  it('keeps the last good one when it is wrong, also on disk, and says so', () => {
    const { settings, warnings, directory } = open();
    settings.take(stored({ ttl: 50 }));
    expect(settings.take(stored({ ttl: 'a while' }))).toBe(false);
    expect(settings.policy().ttlMs).toBe(50_000);
    expect(settings.document()).toEqual({ ttl: 50 });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('cluster configuration is wrong, the last one stays');
    expect(JSON.parse(readFileSync(join(directory, 'dynamic.json'), 'utf8'))).toEqual({ ttl: 50 });
    expect(open(directory).settings.policy().ttlMs).toBe(50_000);
  });

  it('warns of a correction when it is new', () => {
    const { settings, warnings } = open();
    settings.take(stored({ ttl: 5 }));
    const first = [...warnings];
    expect(first).not.toEqual([]);
    settings.take(stored({ ttl: 5, maximum_lag_on_failover: 9 }));
    expect(warnings).toEqual(first);
  });

  it('without a configuration changes nothing', () => {
    const { settings } = open(undefined, dcs({ ttl: 40 }));
    const { config: _, ...snapshot } = buildSnapshot();
    expect(settings.take(snapshot)).toBe(false);
    expect(settings.policy().ttlMs).toBe(40_000);
  });

  it('does without the file when it cannot be written', () => {
    const directory = join(openDirectory(), 'missing');
    const { settings } = open(directory);
    expect(settings.take(stored({ ttl: 50 }))).toBe(true);
    expect(existsSync(directory)).toBe(false);
  });

  it('leaves only the whole file behind, readable by nobody else', () => {
    const { settings, directory } = open();
    chmodSync(directory, 0o755);
    settings.take(stored({ ttl: 50 }));
    expect(existsSync(join(directory, 'dynamic.json.tmp'))).toBe(false);
    expect(readFileSync(join(directory, 'dynamic.json'), 'utf8')).toBe('{"ttl":50}');
  });
});

describe('reloading', () => {
  const local = (parameters: object): Changes => ({ postgresql: { parameters } });

  it('lays the new file over what the cluster says', () => {
    const { settings, directory } = open();
    settings.take(stored({ ttl: 50 }));
    expect(settings.reload(configIn(directory, local({ work_mem: '7MB' })))).toBe(true);
    expect(settings.server().parameters['work_mem']).toBe('7MB');
    expect(settings.policy().ttlMs).toBe(50_000);
    expect(settings.reload(configIn(directory, local({ work_mem: '7MB' })))).toBe(false);
  });

  it('holds for later configurations of the cluster', () => {
    const { settings, directory } = open();
    settings.reload(configIn(directory, local({ work_mem: '7MB' })));
    settings.take(stored({ ttl: 50 }));
    expect(settings.server().parameters['work_mem']).toBe('7MB');
  });
});

describe('following', () => {
  it('takes each snapshot once, and tells of changes only', () => {
    const { settings } = open();
    const applied: boolean[] = [];
    const follow = followConfiguration(settings, (changed) => applied.push(changed));
    const state = (snapshot: StoreSnapshot) => ({
      ...buildState(),
      snapshot: { value: snapshot, at: 0 as never },
    });
    follow({ ...buildState(), snapshot: undefined });
    const first = state(stored({ ttl: 50 }));
    follow(first);
    follow(first);
    follow(state(stored({ ttl: 50 })));
    follow(state(stored({ ttl: 60 })));
    expect(applied).toEqual([true, true]);
    expect(settings.policy().ttlMs).toBe(60_000);
  });
});
