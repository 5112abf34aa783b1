// Shows how cluster.yaml is read: the examples are valid and complete, two lines make a local
// cluster, mistakes come all at once, and what is rendered for a member is a valid patroni.yml.
import type { JsonObject } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { parse as parsePlainYaml } from 'yaml';
import { parseAgentConfig } from '../config/parse-agent-config.ts';
import { derivePolicy } from '../config/policy.ts';
import { formatMistakes } from '../errors/mistake.ts';
import { exampleNames, readExample } from '../testing/examples.ts';
import { readGuideFile } from '../testing/guide.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { parseClusterConfig } from './parse-cluster-config.ts';
import { resolveSecret } from './read-secrets.ts';
import { renderAgentConfig, renderDynamicConfig, renderHba } from './render-agent-config.ts';

const parse = (text: string, environment: Record<string, string> = {}) => {
  const parsed = parseClusterConfig({ text, file: 'cluster.yaml', environment });
  return {
    ...parsed,
    mistakeLines: formatMistakes(parsed.mistakes).split('\n').filter(Boolean),
    warningLines: formatMistakes(parsed.warnings).split('\n').filter(Boolean),
  };
};

const must = (text: string, environment: Record<string, string> = {}): ClusterConfig => {
  const { config, mistakeLines } = parse(text, environment);
  expect(mistakeLines).toEqual([]);
  if (config === undefined) throw new Error('no configuration');
  return config;
};

const REMOTE = `cluster: demo
members:
  - {name: a, host: 10.0.0.1, data_dir: /a}
  - {name: b, host: 10.0.0.2, data_dir: /b}
etcd: {endpoints: ["e1:2379"]}
secrets:
  superuser: {file: /s}
  replication: {environment: R}
  restapi: {file: /r}
`;

describe('the examples', () => {
  it.each(exampleNames)('%s has no mistakes and no warnings', (name) => {
    const { mistakeLines, warningLines } = parse(readExample(name));
    expect([mistakeLines, warningLines]).toEqual([[], []]);
  });

  it('are the three that are documented', () => {
    expect([...exampleNames].sort()).toEqual(['full.yaml', 'guide.yaml', 'minimal.yaml']);
  });

  it('full.yaml shows every key there is, the alternatives behind a "#"', () => {
    const text = readExample('full.yaml');
    const keys = new Set(exampleNames.flatMap((name) => parse(readExample(name)).keys));
    expect(keys.size).toBeGreaterThan(60);
    const written = parsePlainYaml(text) as JsonObject;
    const isWritten = (value: unknown, [part, ...rest]: readonly string[]): boolean => {
      if (part === undefined) return true;
      if (part === '[]' || part === '*') {
        return Object.values(value ?? {}).some((item) => isWritten(item, rest));
      }
      const inner = (value as JsonObject | undefined)?.[part];
      return inner !== undefined && isWritten(inner, rest);
    };
    const isCommented = (key: string): boolean =>
      new RegExp(`^\\s*# +${key.split('.').at(-1) ?? ''}:( |$)`, 'm').test(text);
    // Names of applications, parameters and tags are the user's.
    const isFree = (key: string): boolean =>
      /^(postgresql\.parameters|secrets\.applications)\./.test(key);
    const missing = [...keys].filter(
      (key) =>
        !isFree(key) &&
        !isWritten(written, key.replaceAll('[]', '.[]').split('.')) &&
        !isCommented(key),
    );
    expect(missing).toEqual([]);
  });

  it('full.yaml shows the defaults where it says so', () => {
    const full = must(readExample('full.yaml'));
    const plain = must(REMOTE);
    expect(full.timing).toEqual(plain.timing);
    expect(full.haproxy).toEqual(plain.haproxy);
    expect({ ...full.pgbouncer, databases: [] }).toEqual({ ...plain.pgbouncer, databases: [] });
    expect(full.replication).toEqual(plain.replication);
    expect(full.drills).toEqual(plain.drills);
    expect(full.namespace).toBe(plain.namespace);
    const [first, second] = full.members;
    expect(first?.tags).toEqual(plain.members[0]?.tags);
    expect(second?.tags).toEqual(plain.members[0]?.tags);
    expect(first?.postgresqlPort).toBe(plain.members[0]?.postgresqlPort);
    expect(first?.restPort).toBe(plain.members[0]?.restPort);
    expect(first?.listen).toBe(plain.members[0]?.listen);
  });

  it('guide.yaml is the cluster of the guide (G1, G7, G9, G19)', () => {
    const guide = must(readExample('guide.yaml'));
    const { config } = parseAgentConfig({
      text: readGuideFile('patroni.yml'),
      file: 'patroni.yml',
      environment: {},
    });
    expect(guide.cluster).toBe(config?.scope);
    expect(guide.namespace).toBe(config?.namespace);
    expect(guide.members[0]).toMatchObject({
      name: config?.name,
      dataDirectory: config?.postgresql.dataDirectory,
    });
    const haproxy = readGuideFile('haproxy.cfg');
    const bound = Array.from(haproxy.matchAll(/bind \*:(\d+)/g), ([, port]) => Number(port));
    expect([guide.haproxy.writePort, guide.haproxy.readPort, guide.haproxy.statsPort]).toEqual(
      bound,
    );
    expect(haproxy).toContain(`maxconn ${guide.haproxy.maxConnections}`);
    for (const { name, postgresqlPort, restPort } of guide.members)
      expect(haproxy).toContain(`server ${name} ${name}:${postgresqlPort} check port ${restPort}`);
    const pgbouncer = readGuideFile('pgbouncer.ini');
    for (const database of guide.pgbouncer?.databases ?? []) {
      expect(pgbouncer).toContain(`${database}_write = `);
      expect(pgbouncer).toContain(`${database}_read = `);
    }
    expect(pgbouncer).toContain(`pool_mode = ${guide.pgbouncer?.poolMode ?? ''}`);
    expect(pgbouncer).toContain(`max_client_conn = ${guide.pgbouncer?.maxClientConnections ?? 0}`);
    expect(pgbouncer).toContain(`default_pool_size = ${guide.pgbouncer?.defaultPoolSize ?? 0}`);
    const guidePolicy = derivePolicy(config?.bootstrap?.dcs ?? {}).policy;
    const { policy } = derivePolicy(renderDynamicConfig(guide));
    expect(policy).toMatchObject({
      ttlMs: guidePolicy?.ttlMs,
      maximumLagOnFailoverBytes: guidePolicy?.maximumLagOnFailoverBytes,
      primaryStartTimeoutMs: guidePolicy?.primaryStartTimeoutMs,
      fastLease: false,
    });
  });
});

describe('failsafe', () => {
  it('is said to the members as Patroni says it, and only where it is on', () => {
    const policyOf = (text: string) => derivePolicy(renderDynamicConfig(must(text))).policy;
    const local = 'cluster: demo\nmembers: 3\n';
    expect(policyOf(local)?.failsafe).toBe(false);
    expect(policyOf(`${local}timing: {failsafe: true}\n`)?.failsafe).toBe(true);
    expect(renderDynamicConfig(must(local))).not.toHaveProperty('failsafe_mode');
  });
});

describe('a local cluster', () => {
  it('takes two lines', () => {
    const config = must('cluster: demo\nmembers: 3\n');
    expect(config.isLocal).toBe(true);
    expect(
      config.members.map(({ name, host, postgresqlPort, restPort }) => [
        name,
        host,
        postgresqlPort,
        restPort,
      ]),
    ).toEqual([
      ['pg1', '127.0.0.1', 5441, 8008],
      ['pg2', '127.0.0.1', 5442, 8009],
      ['pg3', '127.0.0.1', 5443, 8010],
    ]);
    expect(config).toMatchObject({
      namespace: 'service',
      etcd: { kind: 'local', members: 3 },
      timing: {
        ttlMs: 5_000,
        loopWaitMs: 1_000,
        retryTimeoutMs: 2_000,
        fastLease: true,
        maximumLagOnFailoverBytes: 1_048_576n,
        onCrash: 'hand_over',
        failsafe: false,
      },
      haproxy: {
        bind: '127.0.0.1',
        writePort: 5432,
        readPort: 5433,
        statsPort: 8404,
        idleTimeoutMs: 1_800_000,
      },
      pgbouncer: {
        bind: '127.0.0.1',
        port: 6432,
        databases: ['postgres'],
        maxClientConnections: 1_000,
      },
      secrets: { superuser: { kind: 'generated' }, rewind: undefined },
      drills: { allowed: false },
    });
  });

  it('even one, and members may be named', () => {
    expect(must('cluster: demo').members).toHaveLength(3);
    const named = must(
      'cluster: demo\nmembers:\n- name: one\n- {name: two, postgresql_port: 7000, tags: {nofailover: on}}\n',
    );
    expect(named.isLocal).toBe(true);
    expect(named.members).toMatchObject([
      { name: 'one', postgresqlPort: 5441 },
      { name: 'two', postgresqlPort: 7000, tags: { nofailover: true } },
    ]);
  });

  it('may do without PgBouncer', () => {
    expect(must('cluster: demo\npgbouncer: off').pgbouncer).toBeUndefined();
    expect(must('cluster: demo\npgbouncer: on').pgbouncer?.port).toBe(6432);
  });
});

describe('variables', () => {
  it('override the file and are named in mistakes', () => {
    const config = must('cluster: demo', {
      MATRIARCH_HAPROXY_WRITE_PORT: '15432',
      MATRIARCH_CLUSTER: 'x',
    });
    expect([config.haproxy.writePort, config.cluster]).toEqual([15_432, 'x']);
    expect(parse('cluster: demo', { MATRIARCH_HAPROXY_WRITE_PORT: 'x' }).mistakeLines).toEqual([
      'MATRIARCH_HAPROXY_WRITE_PORT: haproxy.write_port: "x" is not a whole number from 1 to 65535',
    ]);
  });
});

describe('mistakes', () => {
  it('come all at once', () => {
    const text = `cluster: a/b
members:
  - {name: a, host: 10.0.0.1}
  - {name: A, host: "10.0.0.1:5432", data_dir: /b}
  - {host: 10.0.0.1, data_dir: /c}
  - text
replication: {mode: sometimes}
haproxy: {read_port: 5432, idle_timeout: never}
pgbouncer: {databases: ["a b"], port: 8404}
secrets:
  superuser: hunter2
  replication: {}
timing: {ttl: soon, on_crash: panic}
etcd: {members: 3}
`;
    const { config, mistakeLines } = parse(text);
    expect(config).toBeUndefined();
    expect(mistakeLines).toEqual([
      expect.stringMatching(/^cluster.yaml:1:1: cluster: "a\/b" is not a name of up to 63/),
      'cluster.yaml:3:5: members[0].data_dir: is missing; write for example data_dir: /var/lib/postgresql/data',
      'cluster.yaml:4:6: members[1].name: the name, or its replication slot, is that of another member',
      'cluster.yaml:4:15: members[1].host: "10.0.0.1:5432" is not a host name or address; ports have their own keys',
      'cluster.yaml:5:5: members[2].name: is missing; write for example name: pg1',
      'cluster.yaml:5:5: members[2].postgresql_port: the address 10.0.0.1:5432 is that of another member',
      'cluster.yaml:5:5: members[2].rest_port: the address 10.0.0.1:8008 is that of another member',
      'cluster.yaml:6:5: members[3]: is not a member; write for example - name: pg1',
      'cluster.yaml:7:15: replication.mode: "sometimes" is not one of asynchronous, synchronous, quorum, hybrid',
      'cluster.yaml:8:11: haproxy.read_port: port 5432 is that of haproxy.write_port too; give each door its own port',
      expect.stringMatching(
        /^cluster.yaml:8:28: haproxy.idle_timeout: "never" is not a time of at least 1 s/,
      ),
      expect.stringMatching(
        /^cluster.yaml:9:25: pgbouncer.databases\[0\]: "a b" is not a database PgBouncer can name/,
      ),
      'cluster.yaml:9:33: pgbouncer.port: port 8404 is that of haproxy.stats_port too; give each door its own port',
      expect.stringMatching(
        /^cluster.yaml:10:1: secrets.restapi: is missing: only a cluster on one machine/,
      ),
      'cluster.yaml:11:3: secrets.superuser: is not said to be in a file or a variable; ' +
        'write superuser: {file: PATH} or superuser: {environment: VARIABLE}',
      expect.stringMatching(
        /^cluster.yaml:12:3: secrets.replication: needs either a file or a variable/,
      ),
      expect.stringMatching(
        /^cluster.yaml:13:10: timing.ttl: "soon" is not a whole number of seconds/,
      ),
      'cluster.yaml:13:21: timing.on_crash: "panic" is not one of hand_over, restart',
      expect.stringMatching(/^cluster.yaml:14:1: etcd.endpoints: is missing/),
      expect.stringMatching(/^cluster.yaml:14:8: etcd.members: is for a cluster on one machine/),
    ]);
    expect(JSON.stringify(mistakeLines)).not.toContain('hunter2');
  });

  it('of those who wait', () => {
    const wait = 'wait: {roles: [billing, "", reports, billing], databases: [pg_x, "7", 7]}';
    expect(parse(`cluster: a\nreplication:\n  mode: quorum\n  ${wait}\n`).mistakeLines).toEqual([
      'cluster.yaml:4:3: replication.wait: is for mode hybrid, and the mode is quorum; ' +
        'write mode: hybrid, or take wait away',
      'cluster.yaml:4:27: replication.wait.roles[1]: "" is not text of at least a character',
      'cluster.yaml:4:40: replication.wait.roles[3]: "billing" is named twice; name each once',
      'cluster.yaml:4:73: replication.wait.databases[2]: "7" is named twice; name each once',
    ]);
    expect(parse('cluster: a\nreplication: {mode: hybrid, wait: [billing]}').mistakeLines).toEqual([
      expect.stringMatching(/^cluster.yaml:2:29: replication.wait: is a list, not a section/),
    ]);
  });

  it('of the whole file', () => {
    expect(parse('').mistakeLines).toEqual([
      'cluster.yaml:1:1: holds no settings; write at least cluster: NAME',
    ]);
    expect(parse('members: 3').mistakeLines).toEqual([
      'cluster.yaml:1:1: cluster: is missing; write for example cluster: demo',
    ]);
    expect(parse('scope: demo').mistakeLines).toEqual([
      expect.stringMatching(/^cluster.yaml:1:1: cluster: is missing: this is a patroni.yml/),
    ]);
    expect(parse('cluster: [').mistakeLines).toHaveLength(1);
    expect(parse('cluster: a\nmembers: []').mistakeLines).toEqual([
      'cluster.yaml:2:1: members: has 0 members; write 1 to 32 of them',
    ]);
    expect(parse('cluster: a\npgbouncer: maybe').mistakeLines).toHaveLength(1);
  });

  it('two stores cannot be spoken to in two ways', () => {
    const text = REMOTE.replace('"e1:2379"', '"http://e1:1", "https://e2:1"');
    expect(parse(text).mistakeLines).toEqual([
      'cluster.yaml:5:8: etcd.endpoints: are partly http and partly https',
    ]);
  });
});

describe('warnings', () => {
  it('name keys nobody knows, and once what comes later', () => {
    const text = `${REMOTE}backup: {to: s3}\nalerts: [a]\nhaproxi: {}\ntiming: {tll: 5}\n`;
    expect(parse(text).warningLines).toEqual([
      'cluster.yaml:10:1: known but not built yet, so without effect: alerts, backup',
      'cluster.yaml:12:1: haproxi: is not a known key; did you mean "haproxy"?',
      'cluster.yaml:13:10: timing.tll: is not a known key; did you mean "ttl"?',
    ]);
  });

  it('tell that synchronous_commit off is not asynchronous replication', () => {
    const text = 'cluster: a\npostgresql: {parameters: {synchronous_commit: off}}';
    expect(parse(text).warningLines).toEqual([
      'cluster.yaml:2:27: postgresql.parameters.synchronous_commit: off is not asynchronous ' +
        'replication: a crash loses commits that were acknowledged, on the primary itself too; ' +
        'leave it out: whether commits wait for a standby is said by the mode of replication',
    ]);
  });

  it('tell of parameters and counts that will not do what one expects', () => {
    expect(
      parse(
        'cluster: a\npostgresql: {parameters: {max_connections: 3, port: 1}}\netcd: {members: 2}',
      ).warningLines,
    ).toEqual([
      expect.stringMatching(
        /2:27: postgresql.parameters.max_connections: "3" is not a whole number from 25; 100/,
      ),
      expect.stringMatching(/2:47: postgresql.parameters.port: is set by each agent itself/),
      expect.stringMatching(/3:8: etcd.members: 2 etcd members survive no more failures than 1/),
    ]);
  });
});

describe('hybrid replication', () => {
  const render = (replication: string) =>
    renderDynamicConfig(must(`cluster: a\nreplication: {mode: hybrid${replication}}`));

  it('is quorum replication in which commits are local by default', () => {
    const dynamic = render('');
    expect(dynamic).toMatchObject({
      synchronous_mode: 'quorum',
      postgresql: { parameters: { synchronous_commit: 'local' } },
    });
    expect(Object.keys(dynamic).filter((key) => /roles|databases/.test(key))).toEqual([]);
  });

  it('names whose commits wait for the whole cluster', () => {
    const dynamic = render(', wait: {roles: [Billing, "on"], databases: [ledger]}');
    expect(dynamic).toMatchObject({
      synchronous_roles: ['Billing', 'on'],
      synchronous_databases: ['ledger'],
    });
    const { policy, warnings } = derivePolicy(dynamic);
    expect(policy?.waiting).toEqual({ roles: ['Billing', 'on'], databases: ['ledger'] });
    expect(warnings).toEqual([]);
  });
});

describe('renderAgentConfig', () => {
  const secrets = {
    superuser: 'on',
    replication: "p'w: #1",
    rewind: '0123',
    restapi: 'x"y\\',
    etcd: '~',
  };

  /** Reads what is rendered for one member; there must be nothing to say about it. */
  const roundTrip = (cluster: ClusterConfig, index: number, placement: object = {}) => {
    const member = cluster.members[index];
    if (member === undefined) throw new Error('no such member');
    const text = renderAgentConfig(cluster, member, { secrets, ...placement });
    const parsed = parseAgentConfig({ text, file: 'patroni.yml', environment: {} });
    expect(formatMistakes([...parsed.mistakes, ...parsed.warnings])).toBe('');
    if (parsed.config === undefined) throw new Error('no configuration');
    return { config: parsed.config, text };
  };

  it.each(exampleNames)('writes a valid patroni.yml for every member of %s', (name) => {
    const cluster = must(readExample(name));
    const placement = cluster.isLocal
      ? { dataDirectory: '/d', etcdEndpoints: ['http://127.0.0.1:2379'] }
      : {};
    cluster.members.forEach((member, index) => {
      const { config } = roundTrip(cluster, index, placement);
      expect(config).toMatchObject({
        scope: cluster.cluster,
        namespace: cluster.namespace,
        name: member.name,
        tags: member.tags,
        restapi: {
          connectAddress: { host: member.host, port: member.restPort },
          authentication: { username: 'matriarch', password: secrets.restapi },
        },
        postgresql: {
          connectAddress: { host: member.host, port: member.postgresqlPort },
          dataDirectory: member.dataDirectory ?? '/d',
          superuser: { username: 'postgres', password: secrets.superuser },
          replication: { username: 'replicator', password: secrets.replication },
          binDirectory: cluster.postgresql.binDirectory,
          pgHba: renderHba(cluster),
        },
        matriarch: { user: cluster.postgresql.user },
      });
      const { policy, warnings } = derivePolicy(config.bootstrap?.dcs ?? {}, config);
      expect(warnings).toEqual([]);
      const { onCrash, ...timing } = cluster.timing;
      expect(policy).toMatchObject({
        ...timing,
        primaryStartTimeoutMs: onCrash === 'hand_over' ? 0 : 300_000,
      });
    });
  });

  it('carries everything of etcd, and the role of pg_rewind when it has its own', () => {
    const { config } = roundTrip(must(readExample('full.yaml')), 1);
    expect(config.etcd).toEqual({
      section: 'etcd3',
      endpoints: ['https://10.0.0.11:2379', 'https://10.0.0.12:2379', 'https://10.0.0.13:2379'],
      username: 'matriarch',
      password: '~',
      caFile: '/etc/matriarch/etcd-ca.crt',
      certFile: '/etc/matriarch/etcd-client.crt',
      keyFile: '/etc/matriarch/etcd-client.key',
    });
    expect(config.postgresql.rewind).toMatchObject({ username: 'rewinder', password: '0123' });
  });

  it('puts a local member where it is told to', () => {
    const { config } = roundTrip(must('cluster: demo'), 0, {
      dataDirectory: '/c/pg1/data',
      stateDirectory: '/c/pg1/agent',
      socketDirectory: '/run/m',
      etcdEndpoints: ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
    });
    expect(config.postgresql.dataDirectory).toBe('/c/pg1/data');
    expect(config.matriarch.stateDirectory).toBe('/c/pg1/agent');
    expect(config.postgresql.parameters).toEqual({ unix_socket_directories: '/run/m' });
    expect(config.etcd.endpoints).toEqual(['http://127.0.0.1:1', 'http://127.0.0.1:2']);
    expect(config.bootstrap?.initdbOptions).toEqual(['--encoding=UTF8', '--data-checksums']);
  });

  it('leaves passwords out that it is not given', () => {
    const cluster = must(REMOTE);
    const [member] = cluster.members;
    if (member === undefined) throw new Error('no member');
    expect(renderAgentConfig(cluster, member)).not.toMatch(/password/);
  });
});

describe('renderHba', () => {
  it('lets members in from their own addresses, and applications as the file says', () => {
    expect(renderHba(must(REMOTE))).toEqual([
      'host replication replicator 10.0.0.1/32 scram-sha-256',
      'host all replicator 10.0.0.1/32 scram-sha-256',
      'host all postgres 10.0.0.1/32 scram-sha-256',
      'host replication replicator 10.0.0.2/32 scram-sha-256',
      'host all replicator 10.0.0.2/32 scram-sha-256',
      'host all postgres 10.0.0.2/32 scram-sha-256',
      'host all all all scram-sha-256',
    ]);
    const tls = must(
      `${REMOTE}postgresql: {parameters: {ssl: on}, pg_hba: [local all all peer]}\n`,
    );
    const lines = renderHba(tls);
    expect(lines.at(-1)).toBe('local all all peer');
    expect(lines.slice(0, -1).every((line) => line.startsWith('hostssl '))).toBe(true);
    expect(renderHba(must('cluster: demo')).at(-1)).toBe('host all all ::1/128 scram-sha-256');
  });
});

describe('resolveSecret', () => {
  const access = {
    environment: { A: 'one', EMPTY: '' },
    readFile: (path: string) => ({ '/f': 'two\n', '/empty': '\n' })[path],
    readGenerated: (name: string) => (name === 'superuser' ? 'three' : undefined),
  };

  it.each([
    [{ kind: 'environment', variable: 'A' }, 'one'],
    [{ kind: 'file', path: '/f' }, 'two'],
    [{ kind: 'generated' }, 'three'],
  ] as const)('%j', (source, value) => {
    expect(resolveSecret('superuser', source, access)).toEqual({ ok: true, value });
  });

  it.each([
    [{ kind: 'environment', variable: 'EMPTY' }],
    [{ kind: 'environment', variable: 'NONE' }],
    [{ kind: 'file', path: '/empty' }],
    [{ kind: 'file', path: '/none' }],
    [{ kind: 'generated' }],
  ] as const)('says what is missing: %j', (source) => {
    expect(resolveSecret('other', source, access)).toMatchObject({
      ok: false,
      problem: { code: 'secret-unreadable' },
    });
  });
});
