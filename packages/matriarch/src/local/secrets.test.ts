/** Passwords of a local cluster: made once, in files nobody else may read, and fetched again. */
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterConfig, parseClusterConfig } from '@matriarch/protocol';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { localPaths } from './directories.ts';
import { applyPlan } from './plan.ts';
import { fetchSecrets, giveTo, makeSecrets, writePassFile } from './secrets.ts';
import { isRoot } from './testing/as-ordinary-user.ts';
import { openTemporaryDirectory } from './testing/temporary-directory.ts';

const noPlan = {
  members: {},
  etcd: [],
  haproxy: { write: 1, read: 2, stats: 3 },
  pgbouncer: 4,
  wanted: {},
};

const clusterIn = (state: string, secrets = ''): ClusterConfig => {
  const text = `cluster: demo\nmembers: 1\n${secrets}`;
  const { config } = parseClusterConfig({ text, file: 'a.yaml', environment: {} });
  if (config === undefined) throw new Error('wrong configuration');
  return applyPlan(config, noPlan, localPaths(state));
};

const mustFetch = (config: ClusterConfig): ReadonlyMap<string, string> => {
  const fetched = fetchSecrets(config);
  if (fetched.kind === 'missing') throw new Error(fetched.messages.join('\n'));
  return fetched.values;
};

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('generated secrets', () => {
  it('are different, long, and the same the next time', () => {
    const state = openTemporaryDirectory();
    const config = clusterIn(state);
    const directory = join(state, 'secrets');
    makeSecrets(config, directory);
    const values = mustFetch(config);
    expect([...values.keys()].sort()).toEqual(['replication', 'restapi', 'superuser']);
    expect(new Set(values.values()).size).toBe(3);
    for (const value of values.values()) expect(value).toMatch(/^[\w-]{32}$/);
    makeSecrets(config, directory);
    expect(mustFetch(config)).toEqual(values);
  });

  it('are readable by nobody else, and leave nothing else behind', () => {
    const state = openTemporaryDirectory();
    const directory = join(state, 'secrets');
    makeSecrets(clusterIn(state), directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory).sort()).toEqual(['replication', 'restapi', 'superuser']);
    for (const name of readdirSync(directory))
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
  });

  it('are not made where the user keeps their own, also in a directory of a similar name', () => {
    const state = openTemporaryDirectory();
    const own = join(state, 'secrets-of-mine');
    const config = clusterIn(state, `secrets: { superuser: { file: ${own} } }\n`);
    makeSecrets(config, join(state, 'secrets'));
    expect(existsSync(own)).toBe(false);
    expect(readdirSync(join(state, 'secrets')).sort()).toEqual(['replication', 'restapi']);
  });
});

describe('fetching', () => {
  it('reads files and variables, and names applications as such', () => {
    const state = openTemporaryDirectory();
    const own = join(state, 'shop');
    writeFileSync(own, 'a b\n');
    vi.stubEnv('SUPERUSER_OF_TEST', 'from the environment');
    const config = clusterIn(
      state,
      `secrets:
  superuser: { environment: SUPERUSER_OF_TEST }
  applications: { shop: { file: ${own} } }
`,
    );
    makeSecrets(config, join(state, 'secrets'));
    const values = mustFetch(config);
    expect(values.get('superuser')).toBe('from the environment');
    expect(values.get('application shop')).toBe('a b');
  });

  it('says all that is missing at once', () => {
    const state = openTemporaryDirectory();
    const config = clusterIn(
      state,
      `secrets:
  superuser: { environment: NOT_SET_IN_TEST }
  rewind: { file: ${state}/none }
`,
    );
    makeSecrets(config, join(state, 'secrets'));
    const fetched = fetchSecrets(config);
    expect(fetched.kind).toBe('missing');
    const messages = fetched.kind === 'missing' ? fetched.messages : [];
    expect(messages).toHaveLength(2);
    expect(messages.join('\n')).toContain('NOT_SET_IN_TEST');
    expect(messages.join('\n')).toContain(`${state}/none`);
  });
});

describe('the password file for psql', () => {
  it('lets in everywhere, is private, and escapes what libpq takes for a separator', () => {
    const file = join(openTemporaryDirectory(), 'pgpass');
    writePassFile(file, { user: 'a:b', password: String.raw`c\d:e` });
    expect(readFileSync(file, 'utf8')).toBe(String.raw`*:*:*:a\:b:c\\d\:e` + '\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe('giveTo', () => {
  it('leaves things as they are when there is nobody to give them to', () => {
    const directory = openTemporaryDirectory();
    const before = statSync(directory).uid;
    giveTo(directory, undefined);
    expect(statSync(directory).uid).toBe(before);
  });

  it.runIf(isRoot)('gives away as root', () => {
    const directory = openTemporaryDirectory();
    giveTo(directory, { uid: 12_345, gid: 23_456 });
    expect(statSync(directory)).toMatchObject({ uid: 12_345, gid: 23_456 });
  });
});
