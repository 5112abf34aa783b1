/**
 * Shows what the probe tells of real servers in each state they pass through: timeline, lineage and
 * position of a primary and of standbys that stream, have lost their upstream, follow a promotion,
 * or have not consumed their local WAL; and that a server which hangs costs no more than the limit.
 */
import type { Lsn, ServerAnswer, ServerProbe } from '@matriarch/core';
import { parseLsn } from '@matriarch/core';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  openPostgresLab,
  type PostgresLab,
  serverProcesses,
  type TestServer,
  waitUntil,
} from '../../testing/postgres.ts';
import { createProbe, type Probe } from './probe.ts';

const LIMIT_MS = 2_000;

let lab: PostgresLab;
let primary: TestServer;
let standby: TestServer;
const probes: Probe[] = [];

const probeOf = (server: TestServer): Probe => {
  const probe = createProbe(server.context());
  probes.push(probe);
  return probe;
};

const mustAnswer = (probe: ServerProbe): ServerAnswer => {
  if (probe.kind !== 'answers') throw new Error(JSON.stringify(probe));
  return probe;
};

const look = async (probe: Probe): Promise<ServerAnswer> => mustAnswer(await probe.probe(LIMIT_MS));

/** Nobody is let in for replication any more, until what is returned is called. */
const barReplication = async (server: TestServer): Promise<() => Promise<void>> => {
  const path = join(server.dataDirectory, 'pg_hba.conf');
  const rules = await readFile(path, 'utf8');
  const count = (): Promise<string> => server.value('select count(*) from pg_hba_file_rules');
  const before = await count();
  const write = async (text: string, lines: string): Promise<void> => {
    await writeFile(path, text);
    process.kill(server.pid() ?? 0, 'SIGHUP');
    await waitUntil('the new rules', async () => (await count()) === lines);
  };
  await write('host all all 127.0.0.1/32 trust\n', '1');
  return () => write(rules, before);
};

const lsnOf = async (server: TestServer, sql: string): Promise<Lsn> => {
  const position = parseLsn(await server.value(sql));
  if (position === undefined) throw new Error(`${sql} is no LSN`);
  return position;
};

beforeAll(async () => {
  lab = await openPostgresLab();
  primary = await lab.createServer('pg1');
  await primary.start();
  await primary.query('create table t (i int)');
  standby = await lab.cloneServer(primary, 'pg2');
  await standby.start();
}, 60_000);
afterAll(async () => {
  for (const probe of probes) probe.close();
  await lab?.close();
});

describe('a primary', () => {
  it('tells its position, lineage, standbys and slots', async () => {
    await primary.query(`select pg_create_physical_replication_slot('pg_9', true)`);
    await primary.until('select count(*) from pg_stat_replication', '1');
    const answer = await look(probeOf(primary));
    expect(answer).toMatchObject({
      serverVersion: Number(await primary.value('show server_version_num')),
      systemIdentifier: await primary.value('select system_identifier from pg_control_system()'),
      inRecovery: false,
      lineage: { timeline: 1, ancestors: [] },
      position: { known: true, position: { timeline: 1 } },
      receivedLsn: undefined,
      replayedLsn: undefined,
      replayedAt: undefined,
      replayPaused: false,
      streaming: false,
      upstream: undefined,
      pendingRestart: false,
      standbys: [{ applicationName: 'pg2', state: 'streaming', syncState: 'async' }],
      slots: [{ name: 'pg_9', active: false, walStatus: 'reserved' }],
    });
    expect(answer.slots[0]?.restartLsn).toBeGreaterThan(0n);
    expect(answer.standbys[0]?.sentLsn).toBeGreaterThan(0n);
    const startedAt = await primary.value(
      `select to_char(pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`,
    );
    expect(answer.startedAt).toBe(`${startedAt}+00:00`);
  });

  it('tells of a parameter that waits for a restart', async () => {
    const probe = probeOf(primary);
    await primary.configure({ max_connections: '77' });
    process.kill(primary.pid() ?? 0, 'SIGHUP');
    await primary.until('select count(*) from pg_settings where pending_restart', '1');
    expect((await look(probe)).pendingRestart).toBe(true);
    await primary.configure({});
    process.kill(primary.pid() ?? 0, 'SIGHUP');
    await primary.until('select count(*) from pg_settings where pending_restart', '0');
  });
});

describe('a standby', () => {
  it('that streams knows what it has received', async () => {
    await primary.query('insert into t values (1)');
    const written = await lsnOf(primary, 'select pg_current_wal_flush_lsn()');
    const probe = probeOf(standby);
    await waitUntil('the standby to have it', async () => {
      const { position } = await look(probe);
      return position.known && position.position.lsn >= written;
    });
    const answer = await look(probe);
    expect(answer).toMatchObject({
      inRecovery: true,
      streaming: true,
      upstream: `127.0.0.1:${primary.port}`,
      lineage: { timeline: 1 },
      position: { known: true, position: { timeline: 1 } },
    });
    expect(answer.replayedAt).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00$/);
  });

  it('without upstream knows its position once it has consumed its local WAL', async () => {
    const before = (await look(probeOf(standby))).position;
    await standby.stop();
    await standby.configure({ primary_conninfo: '' });
    await standby.start();
    const probe = probeOf(standby);
    await waitUntil('the position to be known', async () => (await look(probe)).position.known);
    const answer = await look(probe);
    expect(answer.receivedLsn).toBeUndefined();
    expect(answer.upstream).toBeUndefined();
    expect(answer.streaming).toBe(false);
    expect(answer.position).toMatchObject({ known: true, position: { timeline: 1 } });
    if (answer.position.known && before.known)
      expect(answer.position.position.lsn).toBeGreaterThanOrEqual(before.position.lsn);
  });

  it('does not know its position before that', async () => {
    const link = `host=127.0.0.1 port=${primary.port} user=replicator application_name=pg2`;
    await standby.stop();
    await standby.configure({ primary_conninfo: link, recovery_min_apply_delay: '1h' });
    await standby.start();
    await standby.until(`select status from pg_stat_wal_receiver`, 'streaming');
    await primary.query('insert into t select generate_series(1, 1000)');
    const written = await lsnOf(primary, 'select pg_current_wal_flush_lsn()');
    const probe = probeOf(standby);
    await waitUntil('the standby to have received it', async () => {
      const { position } = await look(probe);
      return position.known && position.position.lsn >= written;
    });
    expect((await look(probe)).replayedLsn).toBeLessThan(written);

    // Restarted, it has an hour of local WAL to wait for before it can say how much it holds.
    await standby.stop();
    await standby.start();
    await standby.until(
      `select wait_event from pg_stat_activity where backend_type = 'startup'`,
      'RecoveryApplyDelay',
    );
    const restarted = await look(probeOf(standby));
    expect(restarted.position).toEqual({ known: false });
    expect(restarted.lineage.timeline).toBe(1);

    await standby.configure({ primary_conninfo: link });
    process.kill(standby.pid() ?? 0, 'SIGHUP');
    await waitUntil('the position to be known', async () => {
      const { position } = await look(probe);
      return position.known && position.position.lsn >= written;
    });
  });

  it('that follows a promotion is on the new timeline, also when the new primary is gone', async () => {
    const heir = await lab.cloneServer(primary, 'pg3');
    await heir.start();
    await heir.until('select status from pg_stat_wal_receiver', 'streaming');
    await primary.stop();
    await heir.query('select pg_promote()');
    const switched = parseLsn(
      (await readFile(join(heir.dataDirectory, 'pg_wal/00000002.history'), 'utf8')).split(
        '\t',
      )[1] ?? '',
    );
    const lineage = { timeline: 2, ancestors: [{ timeline: 1, switchLsn: switched }] };
    expect((await look(probeOf(heir))).lineage).toEqual(lineage);

    const probe = probeOf(standby);
    expect((await look(probe)).lineage.timeline).toBe(1);
    // Looks again only when all is over.
    const early = probeOf(standby);
    expect((await look(early)).lineage.timeline).toBe(1);
    const link = `host=127.0.0.1 port=${heir.port} user=replicator application_name=pg2`;
    await standby.configure({ primary_conninfo: link });
    process.kill(standby.pid() ?? 0, 'SIGHUP');
    await waitUntil('the new timeline', async () => (await look(probe)).lineage.timeline === 2);
    await heir.query('insert into t values (2)');
    const written = await lsnOf(heir, 'select pg_current_wal_flush_lsn()');
    await waitUntil('the row', async () => {
      const { position } = await look(probe);
      return position.known && position.position.lsn >= written;
    });
    const streaming = await look(probe);
    expect(streaming.lineage).toEqual(lineage);
    expect(streaming.position).toMatchObject({ known: true, position: { timeline: 2 } });

    // No walreceiver any more, and the control file is still on timeline 1.
    const restoreAccess = await barReplication(standby);
    await heir.crash();
    await standby.until('select count(*) from pg_stat_wal_receiver', '0');
    // Whoever has seen it stream needs nobody to let it in for replication.
    expect((await look(probe)).position).toEqual(streaming.position);
    expect((await look(early)).position).toEqual({ known: false });
    await restoreAccess();
    expect(await standby.value('select timeline_id from pg_control_checkpoint()')).toBe('1');
    for (const fresh of [probe, early, probeOf(standby)]) {
      const orphan = await look(fresh);
      expect(orphan.lineage).toEqual(lineage);
      expect(orphan.position).toEqual(streaming.position);
    }
  });

  it('that lets nobody in for replication still tells its lineage, but no position', async () => {
    await barReplication(standby);
    const answer = await look(probeOf(standby));
    expect(answer.lineage.timeline).toBe(2);
    expect(answer.position).toEqual({ known: false });
  });
});

describe('a server that does not answer', () => {
  it('is starting while it accepts no connections yet', async () => {
    await standby.stop();
    await standby.configure({ hot_standby: 'off' });
    await standby.start({ until: /entering standby mode/ });
    const probe = probeOf(standby);
    await waitUntil('the answer', async () => (await probe.probe(LIMIT_MS)).kind === 'starting');
    await standby.stop();
  });

  it('costs no more than the limit when it is frozen, and is asked anew when it thaws', async () => {
    await primary.start();
    const probe = probeOf(primary);
    await look(probe);
    const frozen = await serverProcesses(primary.dataDirectory);
    for (const pid of frozen) process.kill(pid, 'SIGSTOP');
    try {
      for (const limitMs of [300, 50]) {
        const startedAt = performance.now();
        expect(await probe.probe(limitMs)).toMatchObject({ kind: 'no-answer' });
        expect(performance.now() - startedAt).toBeLessThan(limitMs + 1_500);
      }
    } finally {
      for (const pid of frozen) process.kill(pid, 'SIGCONT');
    }
    await waitUntil('it to answer', async () => (await probe.probe(LIMIT_MS)).kind === 'answers');
  });

  it('is gone at once when it is killed, and answers the same probe when it is back', async () => {
    const probe = probeOf(primary);
    await look(probe);
    await primary.crash();
    expect(await probe.probe(LIMIT_MS)).toMatchObject({ kind: 'no-answer' });
    await primary.start();
    expect((await look(probe)).inRecovery).toBe(false);
    await primary.stop();
    expect(await probe.probe(LIMIT_MS)).toEqual({
      kind: 'no-answer',
      cause: 'there is no postmaster.pid',
    });
  });
});
