// Shows which policy and which PostgreSQL parameters follow from a cluster-wide configuration:
// defaults, minimums, the relation of the timings corrected as Patroni does, and what is refused.
import { defaultPolicy } from '@matriarch/core';
import type { JsonObject } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { formatMistakes } from '../errors/mistake.ts';
import { deriveEffectiveTiming, derivePolicy } from './policy.ts';
import { deriveAccessLines, deriveServerParameters } from './server-parameters.ts';

const seconds = (dynamic: JsonObject) => {
  const { timing, warnings } = deriveEffectiveTiming(dynamic);
  if (timing === undefined) throw new Error('no timing');
  return {
    values: [timing.ttlMs, timing.loopWaitMs, timing.retryTimeoutMs].map((ms) => ms / 1_000),
    warnings: formatMistakes(warnings).split('\n').filter(Boolean),
  };
};

describe('timing', () => {
  it.each([
    [{}, [30, 10, 10], 0],
    [{ ttl: 30, loop_wait: 10, retry_timeout: 30 }, [30, 1, 14], 1],
    [{ ttl: 10, loop_wait: 20, retry_timeout: 3 }, [20, 14, 3], 2],
    [{ ttl: 20 }, [20, 1, 9], 1],
    [{ ttl: 21 }, [21, 1, 10], 1],
    [{ ttl: 25, loop_wait: 10, retry_timeout: 10 }, [25, 5, 10], 1],
    [{ ttl: 30, loop_wait: 0, retry_timeout: 1 }, [30, 1, 3], 2],
    [{ ttl: '60s', loop_wait: '1min', retry_timeout: '10' }, [60, 40, 10], 1],
  ])('%j is %j with %i warnings', (dynamic, values, warnings) => {
    expect(seconds(dynamic).values).toEqual(values);
    expect(seconds(dynamic).warnings).toHaveLength(warnings);
  });

  it('holds the relation for every input', () => {
    for (let ttl = 1; ttl <= 60; ttl += 2) {
      for (let loopWait = 0; loopWait <= 60; loopWait += 6) {
        for (let retry = 0; retry <= 60; retry += 4) {
          const dynamic = { ttl, loop_wait: loopWait, retry_timeout: retry };
          const [t = 0, l = 0, r = 0] = seconds(dynamic).values;
          expect(l + 2 * r).toBeLessThanOrEqual(t);
          expect([t >= 20, l >= 1, r >= 3]).toEqual([true, true, true]);
        }
      }
    }
  });

  it.each([
    [{ fast_lease: true }, [30, 6, 12]],
    [{ fast_lease: true, ttl: 5 }, [5, 1, 2]],
    [{ fast_lease: true, ttl: 5, loop_wait: 10, retry_timeout: 10 }, [5, 10, 3]],
    [{ fast_lease: 'on', ttl: 2 }, [5, 1, 2]],
    [{ fast_lease: false, ttl: 5 }, [20, 1, 9]],
  ])('%j is %j in our own lease mode', (dynamic, values) => {
    expect(seconds(dynamic).values).toEqual(values);
  });

  it('names what was given and what is used', () => {
    expect(seconds({ ttl: 10, loop_wait: 20, retry_timeout: 3 }).warnings).toEqual([
      'ttl: 10 is below the minimum of 20; 20 is used',
      'retry_timeout: loop_wait 20 + 2 × retry_timeout 3 is more than ttl 20; ' +
        'loop_wait 14 and retry_timeout 3 are used',
    ]);
  });
});

describe('derivePolicy', () => {
  it('fills in every default', () => {
    const { policy, warnings } = derivePolicy({});
    expect({ ...policy, serverConfigVersion: '' }).toEqual(defaultPolicy);
    expect(warnings).toEqual([]);
  });

  it('reads what is given, in units where a unit makes sense', () => {
    const { policy } = derivePolicy({
      maximum_lag_on_failover: '16MB',
      master_start_timeout: 0,
      primary_stop_timeout: '2min',
      postgresql: { use_pg_rewind: 'off', use_slots: false },
    });
    expect(policy).toMatchObject({
      maximumLagOnFailoverBytes: 16_777_216n,
      primaryStartTimeoutMs: 0,
      stopTimeoutMs: 120_000,
      usePgRewind: false,
      useSlots: false,
    });
  });

  it('lets the new name win over the old one, and the local file over the cluster', () => {
    const { policy } = derivePolicy(
      { master_start_timeout: 5, primary_start_timeout: 7, postgresql: { use_pg_rewind: true } },
      { scope: 'demo', postgresql: { ...localServer, usePgRewind: false } },
    );
    expect(policy).toMatchObject({ primaryStartTimeoutMs: 7_000, usePgRewind: false });
  });

  it('answers mistakes and no policy when a value cannot be read', () => {
    const { policy, mistakes } = derivePolicy({ ttl: 'soon', postgresql: [], loop_wait: { a: 1 } });
    expect(policy).toBeUndefined();
    expect(formatMistakes(mistakes).split('\n')).toEqual([
      'ttl: "soon" is not a whole number of seconds; write seconds, or a number with s, min or h',
      'loop_wait: a section is not a whole number of seconds; write seconds, or a number with s, min or h',
      expect.stringMatching(/^postgresql: is a list, not a section/),
    ]);
  });

  it.each([
    [true, true],
    ['on', true],
    ['off', false],
    [undefined, false],
  ])('reads failsafe_mode %j', (given, failsafe) => {
    const { policy, mistakes } = derivePolicy(given === undefined ? {} : { failsafe_mode: given });
    expect([policy?.failsafe, mistakes]).toEqual([failsafe, []]);
  });

  it('warns of unknown keys, and once of all that is not built', () => {
    const { warnings } = derivePolicy({
      tll: 30,
      synchronous_mode: 'quorum',
      pause: true,
      failsafe_mode: false,
      check_timeline: true,
      standby_cluster: { host: 'x' },
    });
    expect(formatMistakes(warnings).split('\n')).toEqual([
      'tll: is not a known key; did you mean "ttl"?',
      'known but not built yet, so without effect: standby clusters',
    ]);
  });

  it.each([
    [{}, { mode: 'off', strict: false, count: 1, lagBytesMax: undefined }],
    [{ synchronous_mode: true }, { mode: 'on' }],
    [{ synchronous_mode: 'on' }, { mode: 'on' }],
    [{ synchronous_mode: 'Quorum' }, { mode: 'quorum' }],
    [{ synchronous_mode: 'off' }, { mode: 'off' }],
    [
      {
        synchronous_mode: 'quorum',
        synchronous_mode_strict: true,
        synchronous_node_count: 2,
        maximum_lag_on_syncnode: 1_048_576,
      },
      { mode: 'quorum', strict: true, count: 2, lagBytesMax: 1_048_576n },
    ],
    [{ synchronous_node_count: 0, maximum_lag_on_syncnode: -1 }, { count: 1 }],
  ])('reads %j as Patroni does', (dynamic, synchronous) => {
    expect(derivePolicy(dynamic as JsonObject).policy?.synchronous).toMatchObject(synchronous);
  });

  it('reads whose commits wait, each name once', () => {
    const names = {
      synchronous_roles: ['Billing', 7, 'Billing'],
      synchronous_databases: ['ledger'],
    };
    const { policy, warnings } = derivePolicy({ synchronous_mode: 'quorum', ...names });
    expect(policy?.waiting).toEqual({ roles: ['Billing', '7'], databases: ['ledger'] });
    expect(warnings).toEqual([]);
    expect(derivePolicy({ synchronous_roles: null }).policy?.waiting.roles).toEqual([]);
  });

  it('refuses names that nobody can have, and what is no list', () => {
    const { policy, mistakes } = derivePolicy({
      synchronous_roles: ['', 'pg_monitor', { a: 1 }],
      synchronous_databases: ['é'.repeat(32), 'é'.repeat(31), 'a\u0000b'],
    });
    expect(policy).toBeUndefined();
    expect(formatMistakes(mistakes).split('\n')).toEqual([
      'synchronous_roles[0]: "" is not text of at least a character',
      'synchronous_roles[1]: "pg_monitor" is not a role that can log in; no such name begins with pg_',
      'synchronous_roles[2]: a section is not text of at least a character',
      expect.stringMatching(/^synchronous_databases\[0\]: "é+" is not a name of at most 63 bytes$/),
      expect.stringMatching(/^synchronous_databases\[2\]: .* is not a name of at most 63 bytes$/),
    ]);
    expect(formatMistakes(derivePolicy({ synchronous_roles: 'billing' }).mistakes)).toMatch(
      /^synchronous_roles: is a value, not a list/,
    );
  });

  it('warns of names that have nobody to wait for', () => {
    const { warnings } = derivePolicy({
      synchronous_roles: ['billing'],
      synchronous_databases: [],
    });
    expect(formatMistakes(warnings)).toBe(
      'synchronous_roles: has no effect while synchronous_mode is off: there is nobody to wait for; ' +
        'set synchronous_mode to quorum',
    );
  });

  it('tells what a mode can be', () => {
    const { mistakes } = derivePolicy({ synchronous_mode: 'sometimes' });
    expect(formatMistakes(mistakes)).toBe('synchronous_mode: "sometimes" is not on, off or quorum');
  });

  it('changes the version of the server files exactly when they would change', () => {
    const local = { scope: 'demo', postgresql: localServer };
    const version = (dynamic: JsonObject, more: object = {}) =>
      derivePolicy(dynamic, { ...local, postgresql: { ...localServer, ...more } }).policy
        ?.serverConfigVersion;
    const base = version({});
    expect(version({ ttl: 60 })).toBe(base);
    expect(version({ postgresql: { parameters: { max_connections: 100 } } })).toBe(base);
    const others = [
      version({ postgresql: { parameters: { max_connections: 200 } } }),
      version({ postgresql: { pg_hba: ['local all all trust'] } }),
      version({}, { parameters: { work_mem: '8MB' } }),
      version({}, { pgIdent: ['a b c'] }),
      version({}, { listen: { addresses: ['127.0.0.1'], port: 5433 } }),
    ];
    expect(new Set([base, ...others]).size).toBe(6);
  });
});

const localServer = {
  listen: { addresses: ['127.0.0.1', '10.0.0.1'], port: 5432 },
  parameters: {} as Record<string, string>,
  pgHba: undefined as readonly string[] | undefined,
  pgIdent: undefined,
};

describe('deriveServerParameters', () => {
  const derive = (parameters: JsonObject, local: Record<string, string> = {}) => {
    const derived = deriveServerParameters(
      { postgresql: { parameters } },
      { scope: 'demo', postgresql: { ...localServer, parameters: local } },
    );
    const lines = formatMistakes(derived.warnings).split('\n').filter(Boolean);
    return { ...derived, parameters: derived.parameters ?? {}, lines };
  };

  it('fills in what all members share and what is ours', () => {
    expect(derive({}).parameters).toEqual({
      listen_addresses: '127.0.0.1,10.0.0.1',
      port: '5432',
      cluster_name: 'demo',
      hot_standby: 'on',
      wal_level: 'replica',
      max_connections: '100',
      max_wal_senders: '10',
      max_replication_slots: '10',
      max_worker_processes: '8',
      max_prepared_transactions: '0',
      max_locks_per_transaction: '64',
      track_commit_timestamp: 'off',
      wal_log_hints: 'on',
      wal_keep_size: '128MB',
      max_slot_wal_keep_size: '10GB',
      wal_retrieve_retry_interval: '100ms',
      wal_receiver_status_interval: '1s',
      lc_messages: 'C',
      restart_after_crash: 'off',
    });
  });

  it('takes what is given, in the words of PostgreSQL', () => {
    const { parameters, lines } = derive(
      {
        wal_level: 'hot_standby',
        max_connections: '200',
        track_commit_timestamp: true,
        wal_keep_size: '2GB',
        Work_Mem: '4MB',
        wal_receiver_status_interval: '10s',
      },
      { work_mem: '8MB', wal_retrieve_retry_interval: '5s', lc_messages: 'de_DE.UTF-8' },
    );
    expect(parameters).toMatchObject({
      wal_level: 'replica',
      max_connections: '200',
      track_commit_timestamp: 'on',
      wal_keep_size: '2GB',
      work_mem: '8MB',
      wal_receiver_status_interval: '10s',
      wal_retrieve_retry_interval: '5s',
      lc_messages: 'de_DE.UTF-8',
    });
    expect(lines).toEqual([]);
  });

  it.each([
    [{ max_connections: 10 }, 'max_connections: "10" is not a whole number from 25; 100 is used'],
    [{ wal_level: 'minimal' }, 'wal_level: "minimal" is not one of replica, logical'],
    [{ hot_standby: 'off' }, 'hot_standby: "off" is not on; on is used'],
    [{ wal_keep_size: 1 }, 'wal_keep_size: "1" is not a size from 16MB; 128MB is used'],
    [{ port: 1 }, 'port: is set by each agent itself'],
    [{ recovery_target_time: 'now' }, 'recovery_target_time: is set by each agent itself'],
    [{ restart_after_crash: true }, 'restart_after_crash: is kept off'],
    [{ synchronous_commit: 'off' }, 'synchronous_commit: off is not asynchronous replication'],
  ])('warns of %j', (parameters, warning) => {
    expect(derive(parameters).lines).toEqual([
      expect.stringContaining(`postgresql.parameters.${warning}`),
    ]);
  });

  it('warns once of commits that are in memory only, and not of those that are local', () => {
    expect(derive({ synchronous_commit: false }, { synchronous_commit: 'off' }).lines).toHaveLength(
      1,
    );
    expect(derive({ synchronous_commit: 'local' }).lines).toEqual([]);
  });

  it('understands both spellings of kept WAL', () => {
    expect(derive({ wal_keep_segments: 128 }).parameters['wal_keep_size']).toBe('2048MB');
    expect(derive({ wal_keep_segments: 128, wal_keep_size: '1GB' }).parameters).not.toHaveProperty(
      'wal_keep_segments',
    );
    expect(
      derive({ wal_keep_segments: 128, wal_keep_size: '1GB' }).parameters['wal_keep_size'],
    ).toBe('1GB');
    expect(derive({ wal_keep_size: '64GB' }).parameters['max_slot_wal_keep_size']).toBe('64GB');
    expect(derive({ max_slot_wal_keep_size: -1 }).parameters['max_slot_wal_keep_size']).toBe('-1');
  });

  it('answers mistakes and no parameters when one is no value', () => {
    const derived = deriveServerParameters(
      { postgresql: { parameters: { work_mem: ['4MB'], 'x=1\ny': 1 } } },
      { scope: 'demo', postgresql: localServer },
    );
    expect(derived.parameters).toBeUndefined();
    expect(derived.mistakes).toHaveLength(2);
  });
});

describe('deriveAccessLines', () => {
  it('takes the local list, else the one of the cluster', () => {
    const dynamic = { postgresql: { pg_hba: ['local all all trust'] } };
    expect(deriveAccessLines(dynamic, { postgresql: localServer }).pgHba).toEqual([
      'local all all trust',
    ]);
    const local = { ...localServer, pgHba: ['host all all all reject'] };
    expect(deriveAccessLines(dynamic, { postgresql: local }).pgHba).toEqual(local.pgHba);
    expect(deriveAccessLines({}, { postgresql: localServer })).toEqual({
      pgHba: undefined,
      pgIdent: undefined,
    });
  });
});
