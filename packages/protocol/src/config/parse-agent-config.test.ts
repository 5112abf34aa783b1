// Shows how a patroni.yml and PATRONI_* variables are read: the guide's file (G7) loads, all mistakes
// come at once with their places, nothing secret is ever repeated, old names and both forms work.
import { describe, expect, it } from 'vitest';
import { formatMistakes } from '../errors/mistake.ts';
import { readGuideFile } from '../testing/guide.ts';
import type { AgentConfig } from './agent-config.ts';
import { parseAgentConfig } from './parse-agent-config.ts';

const parse = (text: string | undefined, environment: Record<string, string> = {}) => {
  const parsed = parseAgentConfig({ text, file: 'patroni.yml', environment });
  return {
    ...parsed,
    mistakeLines: formatMistakes(parsed.mistakes).split('\n').filter(Boolean),
    warningLines: formatMistakes(parsed.warnings).split('\n').filter(Boolean),
  };
};

const must = (text: string | undefined, environment: Record<string, string> = {}): AgentConfig => {
  const { config, mistakeLines } = parse(text, environment);
  expect(mistakeLines).toEqual([]);
  if (config === undefined) throw new Error('no configuration');
  return config;
};

const MINIMAL = `scope: demo
name: pg1
restapi:
  listen: 127.0.0.1:8008
etcd3:
  hosts: 127.0.0.1:2379
postgresql:
  listen: 127.0.0.1:5432
  data_dir: /data/pg1
  authentication:
    replication:
      username: replicator
`;

describe('a cluster.yaml', () => {
  it('is told from a patroni.yml', () => {
    expect(parse('cluster: demo\nmembers: 3\n').mistakeLines[0]).toMatch(
      /^patroni.yml:1:1: scope: is missing: this is a cluster.yaml, of all members; start that/,
    );
  });
});

/** The minimal file with something added under a line of it. */
const withLines = (after: string, ...lines: string[]): string =>
  MINIMAL.replace(after, [after, ...lines].join('\n'));

describe('synchronous_commit off', () => {
  const OFF = /synchronous_commit: off is not asynchronous replication: a crash loses commits/;

  it('is warned of in the file of a member', () => {
    const text = withLines('postgresql:', '  parameters:', '    synchronous_commit: off');
    expect(parse(text).warningLines).toEqual([
      expect.stringMatching(/^patroni.yml:9:5: postgresql.parameters.synchronous_commit: off is/),
    ]);
    expect(parse(text.replace(': off', ': local')).warningLines).toEqual([]);
  });

  it('is warned of in what a cluster begins with', () => {
    const dcs = 'bootstrap: {dcs: {postgresql: {parameters: {synchronous_commit: off}}}}\n';
    expect(parse(MINIMAL + dcs).warningLines).toEqual([expect.stringMatching(OFF)]);
  });
});

describe('whose commits wait', () => {
  it('is a setting of the whole cluster', () => {
    const dcs = 'synchronous_mode: quorum, synchronous_roles: [billing]';
    const parsed = parse(`${MINIMAL}bootstrap: {dcs: {${dcs}}}\n`);
    expect(parsed.warningLines).toEqual([]);
    expect(parsed.config?.bootstrap?.dcs).toMatchObject({ synchronous_roles: ['billing'] });
    expect(parse(`${MINIMAL}synchronous_roles: [billing]\n`).warningLines).toEqual([
      expect.stringMatching(
        /synchronous_roles: has no effect here, because it is a setting of the/,
      ),
    ]);
    expect(parse(`${MINIMAL}bootstrap: {dcs: {synchronous_databases: 7}}\n`).mistakeLines).toEqual([
      expect.stringMatching(/^patroni.yml:13:19: bootstrap.dcs.synchronous_databases: is/),
    ]);
  });
});

describe('the patroni.yml of the guide (G7)', () => {
  const parsed = parse(readGuideFile('patroni.yml'));

  it('loads', () => {
    expect(parsed.mistakeLines).toEqual([]);
    expect(parsed.config).toMatchObject({
      scope: 'postgresql-cluster',
      namespace: 'postgresql',
      name: 'postgresql-master',
      restapi: {
        listen: { host: '0.0.0.0', port: 8008 },
        connectAddress: { host: 'postgresql-master', port: 8008 },
      },
      etcd: {
        section: 'etcd',
        endpoints: ['http://etcd1:2379', 'http://etcd2:2379', 'http://etcd3:2379'],
      },
      postgresql: {
        listen: { addresses: ['0.0.0.0'], port: 5432 },
        dataDirectory: '/var/lib/postgresql/data',
        binDirectory: '/usr/lib/postgresql/15/bin',
        passFile: '/tmp/pgpass',
        superuser: { username: 'postgres', password: 'postgres_password' },
        replication: { username: 'replicator', password: 'replication_password' },
        rewind: { username: 'postgres' },
      },
      bootstrap: {
        initdbOptions: ['--encoding=UTF8', '--data-checksums'],
        pgHba: ['host replication replicator 0.0.0.0/0 md5', 'host all all 0.0.0.0/0 md5'],
      },
      matriarch: { stateDirectory: '/var/lib/postgresql/data.matriarch' },
    });
  });

  it('keeps bootstrap.dcs word for word', () => {
    expect(parsed.dynamic).toMatchObject({ master_start_timeout: 300, retry_timeout: 30 });
    expect(parsed.config?.bootstrap?.dcs).toBe(parsed.dynamic);
  });

  it('is warned of where the guide is wrong, and of nothing else', () => {
    expect(parsed.warningLines).toEqual([
      expect.stringMatching(
        /^patroni.yml:6:1: restapi.authentication: is missing: whoever reaches/,
      ),
      expect.stringMatching(/^patroni.yml:10:1: etcd: is spoken as API version 3/),
      'patroni.yml:17:5: bootstrap.dcs.retry_timeout: loop_wait 10 + 2 × retry_timeout 30 is more ' +
        'than ttl 30; loop_wait 1 and retry_timeout 14 are used',
    ]);
  });
});

describe('a minimal file', () => {
  it('gets every default filled in', () => {
    expect(must(MINIMAL)).toEqual({
      scope: 'demo',
      namespace: 'service',
      name: 'pg1',
      restapi: {
        listen: { host: '127.0.0.1', port: 8008 },
        connectAddress: { host: '127.0.0.1', port: 8008 },
        authentication: undefined,
        tls: undefined,
      },
      etcd: {
        section: 'etcd3',
        endpoints: ['http://127.0.0.1:2379'],
        username: undefined,
        password: undefined,
        caFile: undefined,
        certFile: undefined,
        keyFile: undefined,
      },
      postgresql: {
        listen: { addresses: ['127.0.0.1'], port: 5432 },
        connectAddress: { host: '127.0.0.1', port: 5432 },
        dataDirectory: '/data/pg1',
        binDirectory: undefined,
        passFile: undefined,
        database: 'postgres',
        superuser: { username: 'postgres', password: undefined, options: {} },
        replication: { username: 'replicator', password: undefined, options: {} },
        rewind: { username: 'postgres', password: undefined, options: {} },
        parameters: {},
        pgHba: undefined,
        pgIdent: undefined,
        useUnixSocket: false,
        usePgRewind: undefined,
        basebackupOptions: [],
      },
      bootstrap: undefined,
      tags: {
        nofailover: false,
        failoverPriority: 1,
        noloadbalance: false,
        clonefrom: false,
        nosync: false,
        syncPriority: 1,
        others: {},
      },
      matriarch: { stateDirectory: '/data/pg1.matriarch', user: undefined },
      logLevel: 'info',
    });
    expect(parse(MINIMAL).warningLines).toEqual([]);
  });

  it('keeps its own files where the caller or the file says', () => {
    const defaults = { stateDirectory: '/state' };
    const given = { text: MINIMAL, file: 'f', environment: {}, defaults };
    expect(parseAgentConfig(given).config?.matriarch.stateDirectory).toBe('/state');
    const text = `${MINIMAL}matriarch:\n  state_dir: /mine\n  user: pg\n`;
    expect(parseAgentConfig({ ...given, text }).config?.matriarch).toEqual({
      stateDirectory: '/mine',
      user: 'pg',
    });
  });
});

describe('mistakes', () => {
  it('come all at once, each with its place and a way out', () => {
    const text = `scope: a/b
restapi:
  listen: "8008"
  verify_client: maybe
etcd3:
  hosts: [a:1, "b:x"]
postgresql:
  listen: abc
  pg_hba:
  - hots all all all trust
  use_unix_socket: perhaps
  authentication: secret
bootstrap:
  initdb:
  - pgdata: /x
  dcs:
    ttl: soon
    postgresql:
      parameters:
        work_mem: [4MB]
tags:
  nofailover: 7
`;
    expect(parse(text).config).toBeUndefined();
    expect(parse(text).mistakeLines).toEqual([
      'patroni.yml:1:1: scope: "a/b" is not a name without slashes',
      'patroni.yml:1:1: name: is missing; write for example name: member1',
      'patroni.yml:3:3: restapi.listen: "8008" is not host:port; write for example 0.0.0.0:8008',
      'patroni.yml:4:3: restapi.verify_client: "maybe" is not one of none, optional, required',
      'patroni.yml:6:16: etcd3.hosts[1]: "b:x" is not host:port; write for example etcd1:2379',
      'patroni.yml:7:1: postgresql.data_dir: is missing; ' +
        'write for example data_dir: /var/lib/postgresql/data',
      'patroni.yml:8:3: postgresql.listen: "abc" is not host:port; write for example 0.0.0.0:5432',
      'patroni.yml:10:5: postgresql.pg_hba[0]: "hots all all all trust" is not ' +
        'a line of pg_hba.conf, which begins with local, host or hostssl',
      'patroni.yml:11:3: postgresql.use_unix_socket: "perhaps" is not true or false',
      'patroni.yml:12:3: postgresql.authentication: is a value, not a section; ' +
        'write its settings below it, indented, as key: value',
      expect.stringMatching(/^patroni.yml:12:3: postgresql.authentication.replication: is missing/),
      'patroni.yml:15:5: bootstrap.initdb[0].pgdata: the agent itself gives initdb the option pgdata; remove it',
      'patroni.yml:17:5: bootstrap.dcs.ttl: "soon" is not a whole number of seconds; ' +
        'write seconds, or a number with s, min or h',
      'patroni.yml:20:9: bootstrap.dcs.postgresql.parameters.work_mem: a list is not a value; ' +
        'write name: value, as in postgresql.conf',
      'patroni.yml:22:3: tags.nofailover: "7" is not true or false',
    ]);
  });

  it('name the variable where a variable is to blame', () => {
    const { mistakeLines } = parse(MINIMAL, { PATRONI_POSTGRESQL_LISTEN: 'abc' });
    expect(mistakeLines).toEqual([
      'PATRONI_POSTGRESQL_LISTEN: postgresql.listen: "abc" is not host:port; ' +
        'write for example 0.0.0.0:5432',
    ]);
  });

  it('of syntax come with their places too', () => {
    expect(parse('scope: demo\n\tname: a\n').mistakeLines[0]).toMatch(/^patroni.yml:2:1: /);
    expect(parse('just text').mistakeLines).toEqual([
      'patroni.yml:1:1: holds no settings; write them as key: value',
    ]);
  });

  it('never hold a password, wherever it was misplaced', () => {
    const SECRET = 'hunter2';
    const texts = [
      withLines('username: replicator', '      password: [hunter2]'),
      withLines('username: replicator', '      password: {a: hunter2}'),
      withLines('username: replicator', '      sslpassword: [hunter2]'),
      withLines('hosts: 127.0.0.1:2379', '  url: "ftp://root:hunter2@x"'),
      withLines('hosts: 127.0.0.1:2379', '  password: [hunter2]'),
      withLines('listen: 127.0.0.1:8008', '  authentication: hunter2'),
      withLines('listen: 127.0.0.1:8008', '  authentication: {password: hunter2}'),
      MINIMAL.replace('replication:\n      username: replicator', 'replication: hunter2'),
      withLines('data_dir: /data/pg1', '  parameters: {primary_conninfo: [hunter2]}'),
      withLines('data_dir: /data/pg1', '  parameters: [hunter2]'),
      MINIMAL.replace('hosts: 127.0.0.1:2379', 'hosts: http://root:hunter2@a:1'),
      MINIMAL.replace('hosts: 127.0.0.1:2379', 'host: root:hunter2@a'),
      withLines('data_dir: /data/pg1', '  pg_hba: ["hots all all x ldap ldapbindpasswd=hunter2"]'),
      withLines('data_dir: /data/pg1', '  pgpass: {a: hunter2}'),
      MINIMAL.replace('data_dir: /data/pg1', 'data_dir: [hunter2]'),
    ];
    for (const text of texts) {
      const { mistakes, mistakeLines, warnings } = parse(text);
      expect(mistakeLines).not.toEqual([]);
      expect(JSON.stringify([mistakes, warnings])).not.toContain(SECRET);
    }
  });
});

describe('passwords', () => {
  it('that YAML would change are asked for in quotes, without being named', () => {
    const { mistakeLines } = parse(withLines('username: replicator', '      password: 0123'));
    expect(mistakeLines).toEqual([
      'patroni.yml:13:7: postgresql.authentication.replication.password: ' +
        'the value is not text as it stands; put it in quotes',
    ]);
    const config = must(withLines('username: replicator', '      password: 1234'));
    expect(config.postgresql.replication.password).toBe('1234');
  });

  it('may come from variables', () => {
    const config = must(MINIMAL, {
      PATRONI_REPLICATION_PASSWORD: 'one',
      PATRONI_SUPERUSER_USERNAME: 'boss',
      PATRONI_SUPERUSER_PASSWORD: 'two',
      PATRONI_REWIND_SSLMODE: 'verify-full',
      PATRONI_RESTAPI_USERNAME: 'admin',
      PATRONI_RESTAPI_PASSWORD: '123',
    });
    expect(config.postgresql.replication).toMatchObject({
      username: 'replicator',
      password: 'one',
    });
    expect(config.postgresql.superuser).toMatchObject({ username: 'boss', password: 'two' });
    expect(config.postgresql.rewind).toEqual({
      username: 'boss',
      password: undefined,
      options: { sslmode: 'verify-full' },
    });
    expect(config.restapi.authentication).toEqual({ username: 'admin', password: '123' });
  });
});

describe('variables', () => {
  it('win over the file, and alone suffice', () => {
    const config = must(undefined, {
      PATRONI_SCOPE: 'demo',
      PATRONI_NAME: 'pg1',
      PATRONI_RESTAPI_LISTEN: '127.0.0.1:8008',
      PATRONI_ETCD3_HOSTS: "'a:1','b:2'",
      PATRONI_POSTGRESQL_LISTEN: '127.0.0.1:5432',
      PATRONI_POSTGRESQL_DATA_DIR: '/data/',
      PATRONI_REPLICATION_USERNAME: 'r',
      PATRONI_LOGLEVEL: 'DEBUG',
      UNRELATED: 'x',
    });
    expect(config.etcd.endpoints).toEqual(['http://a:1', 'http://b:2']);
    expect(config.postgresql.dataDirectory).toBe('/data');
    expect(config.logLevel).toBe('debug');
    expect(must(MINIMAL, { PATRONI_NAME: 'other' }).name).toBe('other');
    expect(must(MINIMAL, { PATRONI_NAME: '' }).name).toBe('pg1');
  });

  it('may hold the whole file, and then no other one counts', () => {
    const config = must(undefined, { PATRONI_CONFIGURATION: MINIMAL, PATRONI_NAME: 'ignored' });
    expect(config.name).toBe('pg1');
    expect(parse(undefined, { PATRONI_CONFIGURATION: 'a: [' }).mistakeLines[0]).toMatch(
      /^PATRONI_CONFIGURATION: /,
    );
    expect(must(MINIMAL, { PATRONI_CONFIGURATION: 'a: [' }).name).toBe('pg1');
  });

  it('that nobody knows are warned of, but not what Kubernetes adds', () => {
    const { warningLines } = parse(MINIMAL, {
      PATRONI_POSTGRESQL_LISEN: 'x',
      PATRONI_SERVICE_HOST: '10.0.0.1',
      PATRONI_PORT_8008_TCP_ADDR: '10.0.0.1',
    });
    expect(warningLines).toEqual([
      'PATRONI_POSTGRESQL_LISEN: is not a known variable; did you mean PATRONI_POSTGRESQL_LISTEN?',
    ]);
  });
});

describe('old names and other forms', () => {
  it('credentials directly under postgresql', () => {
    const text = MINIMAL.replace(
      /  authentication:[^]*/,
      '  replication: {username: r, password: p}\n  superuser: {username: s}\n',
    );
    expect(must(text).postgresql).toMatchObject({
      replication: { username: 'r', password: 'p' },
      superuser: { username: 's' },
    });
  });

  it('the new name wins over the old one, and that is said', () => {
    const text = `${MINIMAL}bootstrap:
  dcs:
    master_start_timeout: 5
    primary_start_timeout: 7
`;
    expect(parse(text).warningLines).toEqual([
      'patroni.yml:15:5: bootstrap.dcs.master_start_timeout: is the old name of ' +
        'primary_start_timeout, which is given too; primary_start_timeout is used; remove this one',
    ]);
  });

  it.each([
    ['  initdb:\n  - encoding: UTF8\n  - data-checksums\n  - locale: C.UTF-8\n'],
    [
      '  initdb:\n    encoding: UTF8\n    data-checksums: on\n    locale: C.UTF-8\n    debug: false\n',
    ],
    ['  initdb: [--encoding: UTF8, --data-checksums, {locale: C.UTF-8}]\n'],
  ])('options as a list and as a map: %j', (lines) => {
    expect(must(`${MINIMAL}bootstrap:\n${lines}`).bootstrap?.initdbOptions).toEqual([
      '--encoding=UTF8',
      '--data-checksums',
      '--locale=C.UTF-8',
    ]);
  });

  it.each(['pgdata', 'nosync', 'pwfile', 'sync-only', 'version'])('refuses initdb %s', (option) => {
    for (const form of [`[${option}]`, `{${option}: x}`]) {
      const { mistakeLines } = parse(`${MINIMAL}bootstrap:\n  initdb: ${form}\n`);
      expect(mistakeLines).toEqual([
        expect.stringContaining(`initdb the option ${option}; remove it`),
      ]);
    }
  });

  it('basebackup too', () => {
    const text = withLines(
      'data_dir: /data/pg1',
      '  basebackup:',
      '    max-rate: 100M',
      '    checkpoint: fast',
    );
    expect(must(text).postgresql.basebackupOptions).toEqual([
      '--max-rate=100M',
      '--checkpoint=fast',
    ]);
    expect(
      parse(withLines('data_dir: /data/pg1', '  basebackup: [password]')).mistakeLines,
    ).toHaveLength(1);
  });

  it('local parameters: booleans and numbers become text, what all must share is left out', () => {
    const text = withLines(
      'data_dir: /data/pg1',
      '  parameters:',
      '    Log_Checkpoints: on',
      '    checkpoint_completion_target: 0.9',
      '    log_file_mode: 0600',
      '    max_connections: 5',
      '    port: 1',
      '    archive_command:',
    );
    expect(must(text).postgresql.parameters).toEqual({
      log_checkpoints: 'on',
      checkpoint_completion_target: '0.9',
      log_file_mode: '384',
    });
    expect(parse(text).warningLines).toEqual([
      expect.stringMatching(
        /14:5: postgresql.parameters.max_connections: must be the same on every/,
      ),
      expect.stringMatching(/15:5: postgresql.parameters.port: is set by the agent itself/),
    ]);
  });
});

describe('the store', () => {
  const withStore = (lines: string): string => MINIMAL.replace('  hosts: 127.0.0.1:2379', lines);

  it.each([
    ['  host: a', ['http://a:2379']],
    ['  hosts: a:1, b', ['http://a:1', 'http://b:2379']],
    ['  hosts: [a:1, b:2]', ['http://a:1', 'http://b:2']],
    ['  hosts:\n  - a\n  protocol: https\n  port: 5', ['https://a:5']],
    ['  url: https://a:1/', ['https://a:1']],
    ['  proxy: http://a', ['http://a:2379']],
    ['  hosts: "[::1]:1,[::2]"', ['http://[::1]:1', 'http://[::2]:2379']],
    ['  hosts: "[::1]"', ['http://[::1]:2379']],
    ['  hosts: "[a:1]"', ['http://a:1']],
  ])('%s', (lines, endpoints) => {
    expect(must(withStore(lines)).etcd.endpoints).toEqual(endpoints);
  });

  it('takes name and password out of a url', () => {
    expect(must(withStore('  url: https://root:p%40ss@a:1')).etcd).toMatchObject({
      endpoints: ['https://a:1'],
      username: 'root',
      password: 'p@ss',
    });
  });

  it('wants etcd3 when both are given', () => {
    const { config, warningLines } = parse(`${MINIMAL}etcd:\n  host: other\n`);
    expect(config?.etcd.endpoints).toEqual(['http://127.0.0.1:2379']);
    expect(warningLines).toEqual([expect.stringContaining('etcd: is not used')]);
  });

  it.each(['consul', 'zookeeper', 'exhibitor', 'kubernetes', 'raft'])(
    'says %s is not it',
    (other) => {
      const text = MINIMAL.replace('etcd3:\n  hosts: 127.0.0.1:2379', `${other}:\n  hosts: [a]`);
      expect(parse(text).mistakeLines).toEqual([
        expect.stringMatching(
          new RegExp(`5:1: ${other}: this store is not supported; keep the .* etcd3`),
        ),
      ]);
      const fromVariable = parse(MINIMAL.replace(/etcd3:\n.*\n/, ''), {
        [`PATRONI_${other.toUpperCase()}_HOSTS`]: 'x',
      });
      expect(fromVariable.mistakeLines).toHaveLength(1);
    },
  );

  it('must be there, and not only as a service record', () => {
    expect(parse(MINIMAL.replace(/etcd3:\n.*\n/, '')).mistakeLines).toEqual([
      expect.stringContaining('etcd3: is missing'),
    ]);
    expect(parse(withStore('  srv: x')).mistakeLines).toEqual([
      expect.stringContaining('etcd3.srv: finding etcd by DNS'),
    ]);
    expect(parse(withStore('  protocol: https')).mistakeLines).toEqual([
      expect.stringContaining('etcd3.hosts: is missing'),
    ]);
  });
});

describe('addresses', () => {
  it('others connect to must be given when listening everywhere', () => {
    const text = MINIMAL.replaceAll('listen: 127.0.0.1', 'listen: 0.0.0.0');
    expect(parse(text).mistakeLines).toEqual([
      expect.stringContaining(
        '3:1: restapi.connect_address: is missing, and listen names no address',
      ),
      expect.stringContaining('7:1: postgresql.connect_address: is missing'),
    ]);
  });
});

describe('unknown and unbuilt', () => {
  it('unknown keys get the nearest known one', () => {
    const text = withLines('data_dir: /data/pg1', '  data_dri: x', '  callback: {}');
    expect(parse(`${text}restapy: {}\nquux: 1\n`).warningLines).toEqual([
      'patroni.yml:10:3: postgresql.data_dri: is not a known key; did you mean "data_dir"?',
      'patroni.yml:11:3: postgresql.callback: is not a known key; did you mean "callbacks"?',
      'patroni.yml:15:1: restapy: is not a known key; did you mean "restapi"?',
      'patroni.yml:16:1: quux: is not a known key; it has no effect',
    ]);
  });

  it('features that are not built are named in one warning, when they are asked for', () => {
    const text = `${withLines(
      'data_dir: /data/pg1',
      '  callbacks: {on_start: /bin/true}',
      '  create_replica_methods: [wal_g, basebackup]',
      '  wal_g: {command: x}',
      '  parameters_primary: {work_mem: 4MB}',
    )}watchdog: {mode: required}
citus: {}
tags: {replicatefrom: pg2, datacentre: A}
bootstrap:
  dcs:
    synchronous_mode: on
    failsafe_mode: off
    slots: {a: {type: physical}}
`;
    const { config, warningLines } = parse(text);
    expect(warningLines).toEqual([
      'patroni.yml:10:3: known but not built yet, so without effect: callbacks, ' +
        'cascading replication (tag replicatefrom), custom replica methods, permanent slots, ' +
        'settings for one role, watchdog device',
    ]);
    expect(config?.tags.others).toEqual({ replicatefrom: 'pg2', datacentre: 'A' });
  });

  it('a cluster that is to begin as a copy of something is not begun as an empty one', () => {
    const custom = parse(`${MINIMAL}bootstrap:\n  method: clone\n  clone: {command: x}\n`);
    expect(custom.mistakeLines).toEqual([]);
    expect(custom.config?.bootstrap).toBeUndefined();
    expect(custom.warningLines).toEqual([
      expect.stringContaining('will not initialise a new cluster'),
    ]);
    const standby = parse(`${MINIMAL}bootstrap:\n  dcs:\n    standby_cluster: {host: x}\n`);
    expect(standby.config?.bootstrap).toBeUndefined();
    expect(standby.dynamic).toEqual({ standby_cluster: { host: 'x' } });
    expect(must(`${MINIMAL}bootstrap:\n  method: initdb\n`).bootstrap).toBeDefined();
  });

  it('settings of the whole cluster have no effect in the local part', () => {
    expect(parse(`${MINIMAL}ttl: 5\n`).warningLines).toEqual([
      expect.stringContaining(
        '13:1: ttl: has no effect here, because it is a setting of the whole',
      ),
    ]);
  });
});

describe('tags', () => {
  it.each([
    ['{nofailover: on}', { nofailover: true, failoverPriority: 1 }, 0],
    ['{failover_priority: 0}', { nofailover: false, failoverPriority: 0 }, 0],
    ['{failover_priority: 3}', { nofailover: false, failoverPriority: 3 }, 0],
    ['{nofailover: false, failover_priority: 0}', { nofailover: false, failoverPriority: 1 }, 1],
    ['{nofailover: true, failover_priority: 2}', { nofailover: true, failoverPriority: 2 }, 1],
    ['{nofailover: true, failover_priority: 0}', { nofailover: true, failoverPriority: 0 }, 0],
    ['{sync_priority: 0}', { nosync: true }, 0],
    [
      '{nosync: "yes", noloadbalance: 1, clonefrom: TRUE}',
      { nosync: true, noloadbalance: true, clonefrom: true },
      0,
    ],
  ])('%s', (tags, expected, warnings) => {
    const parsed = parse(`${MINIMAL}tags: ${tags}\n`);
    expect(parsed.config?.tags).toMatchObject(expected);
    expect(parsed.warningLines).toHaveLength(warnings);
  });
});
