/**
 * A new cluster: three agents start at once on an empty store. One initialises, the others clone from
 * it; roles, passwords and access rules are those of the file, and with certificates all of it goes
 * over TLS. Shown on real servers by logging in as an application would.
 */
import { chownSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createAuthority,
  createCertificate,
} from '../../packages/matriarch/src/adapters/etcd/testing/certificates.ts';
import { findServerAccount } from './harness/account.ts';
import { REPLICATOR, REWINDER, SUPERUSER } from './harness/agent-file.ts';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { listProcesses } from './harness/processes.ts';
import { openStage } from './harness/scenes.ts';

const sqlState = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

describe('a new cluster', () => {
  const stage = openStage();

  it('is initialised by one member and cloned by the others', () => {
    const { members } = stage.cluster();
    const initialised = members.filter((member) => member.events('cluster.initialised').length > 0);
    expect(initialised.map(({ name }) => name)).toEqual([stage.primary().name]);
    for (const member of stage.cluster().others(stage.primary()))
      expect(member.events('member.cloning')).toHaveLength(1);
  });

  it('is one cluster to whoever asks', async () => {
    const identifiers = await Promise.all(
      stage.cluster().members.map(async (member) => {
        const [row] = await member.query<{ id: string }>(
          'select system_identifier::text as id from pg_control_system()',
        );
        return [row?.id, (await member.status())?.database_system_identifier];
      }),
    );
    expect(new Set(identifiers.flat()).size).toBe(1);
    const config = await stage.primary().rest('/config');
    expect(JSON.parse(config?.body ?? '')).toMatchObject({ ttl: 5, fast_lease: true });
  });

  it('has data checksums and the encoding that was asked for', async () => {
    const rows = await stage.primary().query<{ name: string; setting: string }>(
      `select name, setting from pg_settings
         where name in ('data_checksums', 'server_encoding', 'password_encryption') order by 1`,
    );
    expect(rows.map(({ setting }) => setting)).toEqual(['on', 'scram-sha-256', 'UTF8']);
  });

  it('lets each role in with its password only, on every member', async () => {
    for (const member of stage.cluster().members) {
      for (const { username: user, password } of [SUPERUSER, REPLICATOR, REWINDER]) {
        expect(await sqlState(member.query('select 1', { user, password }))).toBe('done');
        const wrong = member.query('select 1', { user, password: `${password}.` });
        expect(await sqlState(wrong), `${user} on ${member.name}`).toBe('28P01');
      }
    }
  });

  it('gives each role what it needs and no more', async () => {
    const roles = await stage.primary().query(
      `select rolname as name, rolsuper as super, rolreplication as replication,
         rolpassword like 'SCRAM-SHA-256$%' as scram
       from pg_authid where rolcanlogin order by 1`,
    );
    expect(roles).toEqual([
      { name: 'postgres', super: true, replication: true, scram: true },
      { name: 'replicator', super: false, replication: true, scram: true },
      { name: 'rewinder', super: false, replication: false, scram: true },
    ]);
    const as = { user: REWINDER.username, password: REWINDER.password };
    const read = stage.primary().query("select pg_read_binary_file('PG_VERSION')", as);
    expect(await sqlState(read)).toBe('done');
    const write = stage.primary().query('create table public.mine (a int)', as);
    expect(await sqlState(write)).toBe('42501');
  });

  it('refuses writes on replicas', async () => {
    const replica = stage.cluster().other(stage.primary());
    expect(await sqlState(replica.query('create table t (a int)'))).toBe('25006');
  });

  it('tells nobody a password', () => {
    const secrets = [SUPERUSER, REPLICATOR, REWINDER].map(({ password }) => password);
    const shown = listProcesses().map(({ commandLine }) => commandLine);
    for (const member of stage.cluster().members) {
      const written = JSON.stringify(member.journal);
      shown.push(member.log, member.serverLog, written);
    }
    for (const text of shown) for (const secret of secrets) expect(text).not.toContain(secret);
  });
});

describe('a cluster with certificates', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ members: 2, idle: true });
    const authority = createAuthority(cluster.directory, 'authority');
    const certificate = createCertificate(authority, cluster.directory);
    const { uid, gid } = findServerAccount();
    chownSync(certificate.keyFile, uid, gid);
    const verified = { sslmode: 'verify-full', sslrootcert: authority.certFile };
    for (const member of cluster.members)
      member.configure({
        postgresql: {
          // The list of `bootstrap` is added to initdb's own lines, this one takes their place.
          pg_hba: [
            'hostssl replication replicator 127.0.0.1/32 scram-sha-256',
            'hostssl all all 127.0.0.1/32 scram-sha-256',
          ],
          authentication: { superuser: verified, replication: verified, rewind: verified },
          parameters: {
            ssl: true,
            ssl_cert_file: certificate.certFile,
            ssl_key_file: certificate.keyFile,
            ssl_ca_file: authority.certFile,
          },
        },
      });
    cluster.start();
  });
  afterAll(async () => {
    await cluster?.close();
  });

  it('replicates over TLS, and speaks to no role of the file without', async () => {
    const ssl = { rejectUnauthorized: false };
    const primary = await cluster.untilPrimary();
    const replica = cluster.other(primary);
    await cluster.waitUntil('a replica that streams', async () => {
      return (await replica.status())?.replication_state === 'streaming';
    });
    const streams = await primary.query(
      `select usename as user, ssl from pg_stat_replication join pg_stat_ssl using (pid)`,
      { ssl },
    );
    expect(streams).toEqual([{ user: 'replicator', ssl: true }]);
    for (const member of cluster.members) {
      const as = { user: REWINDER.username, password: REWINDER.password };
      expect(await sqlState(member.query('select 1', { ...as, ssl }))).toBe('done');
      expect(await sqlState(member.query('select 1', as))).toBe('28000');
    }
  });
});
