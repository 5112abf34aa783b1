/**
 * `matriarch drill` on the cluster of an `up`: what it refuses, what it plays, what it reports, and
 * that it leaves the cluster as it was. `npm run drill:all` plays every scenario there is.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DrillReport, DrillRun } from '../../packages/matriarch/src/drills/report.ts';
import { scenarios } from '../../packages/matriarch/src/drills/scenarios.ts';
import { findServerAccount } from './harness/account.ts';
import { type Running, UpBench } from './local/up-bench.ts';

const PLAYED = ['primary-crash', 'primary-freeze'];
const DRILL_LIMIT_MS = 150_000;

describe('drill', () => {
  let bench: UpBench;
  let up: Running;

  beforeAll(async () => {
    bench = new UpBench({
      account: process.geteuid?.() === 0 ? findServerAccount() : undefined,
      name: 'drill',
      cluster: 'drilled',
    });
    bench.write('cluster.yaml', 'cluster: drilled\nmembers: 3\nreplication: {mode: quorum}\n');
    up = bench.start('up', 'cluster.yaml');
    await up.until('Ctrl-C stops it; the data stays.');
  });
  afterAll(async () => bench?.close());

  const report = (name: string): DrillReport =>
    JSON.parse(readFileSync(join(bench.directory, name), 'utf8')) as DrillReport;

  const runsOf = (name: string, scenario: string): readonly DrillRun[] =>
    report(name).drills.find((drill) => drill.scenario === scenario)?.runs ?? [];

  it('harms no cluster that is not marked for it', async () => {
    const { status, err } = await bench.run('drill', 'primary-crash');
    expect(status).toBe(3);
    expect(err).toContain('cluster drilled is not marked for that: write `drills: allowed`');
    bench.write(
      'cluster.yaml',
      'cluster: drilled\nmembers: 3\nreplication: {mode: quorum}\ndrills: allowed\n',
    );
  });

  it('says all that is wrong with what it is asked for, and harms nothing', async () => {
    const wrong = ['primary-crsh', '--mode', 'eventually', '--repeat', '0', '--report', 'a.txt'];
    const { status, err } = await bench.run('drill', ...wrong);
    expect(status).toBe(2);
    const known = scenarios.map(({ name }) => name).join(', ');
    expect(err).toContain(`there is no drill "primary-crsh"; there are ${known}\n`);
    expect(err).toContain('--mode is asynchronous, synchronous, quorum; not "eventually"');
    expect(err).toContain('--repeat is a number from 1 to 1000, not "0"');
    expect(err).toContain('--report is a file that ends in .json or .html, not "a.txt"');

    const unwritable = await bench.run('drill', 'loop-kill', '--report', 'no/such/place.json');
    expect(unwritable).toMatchObject({ status: 2 });
    expect(unwritable.err).toContain('no/such/place.json: cannot be written');
  });

  it('leaves out what takes several hosts', async () => {
    const { status, err } = await bench.run('drill', 'partition');
    expect(status).toBe(3);
    expect(err).toContain('partition: left out: it needs hosts with addresses of their own');
  });

  it.each(PLAYED)(
    'plays %s and loses nothing',
    async (name) => {
      const { status, out, err } = await bench.run('drill', name, '--report', `${name}.json`);
      expect({ status, err }, out).toEqual({ status: 0, err: '' });
      const [run] = runsOf(`${name}.json`, name);
      expect(run).toMatchObject({ scenario: name, lost: 0 });
      expect(run?.acknowledged).toBeGreaterThan(100);
      expect(run?.harms[0]?.name).toMatch(/^(?:kill|freeze|stall)-/);
    },
    DRILL_LIMIT_MS,
  );

  it('tells how it was known that the frozen primary could not write', () => {
    const [run] = runsOf('primary-freeze.json', 'primary-freeze');
    expect(run?.newPrimary).not.toBe(run?.oldPrimary);
    expect(run?.incidents.flatMap(({ evidence }) => evidence).join('\n')).toContain(
      'its lease expired in the store',
    );
  });

  it('waits for nobody: a second one is refused while the first goes on', async () => {
    const first = bench.start('drill', 'loop-kill', '--report', 'page.html');
    await first.until('drills: 1');
    const second = await bench.run('drill', 'loop-kill');
    expect(second).toMatchObject({ status: 3, out: '' });
    expect(second.err).toContain(`cluster drilled is being drilled already (process ${first.pid})`);
    const { status, err } = await first.ended;
    expect(status, err).toBe(0);
  });

  it('switches the mode for as long as it takes, and goes on where it was', async () => {
    const args = ['drill', 'switchover', '--mode', 'asynchronous', '--report', 's.json'];
    const first = await bench.run(...args);
    expect(first.status, first.err).toBe(0);
    expect(first.out).toContain('cluster drilled, asynchronous replication; drills: 1');
    const again = await bench.run(...args, '--repeat', '2', '--resume');
    expect(again.status, again.err).toBe(0);
    expect(again.out).toContain('run 2 of 2');
    expect(again.out).not.toContain('run 1 of 2');
    expect(report('s.json').drills).toMatchObject([
      { scenario: 'switchover', mode: 'asynchronous' },
    ]);
    expect(runsOf('s.json', 'switchover')).toHaveLength(2);

    const config = await bench.run('show-config');
    expect(config.out).toContain('synchronous_mode: quorum');
  });

  it('writes a page that people can read', async () => {
    writeFileSync(join(bench.directory, 'junk.json'), '{');
    const junk = await bench.run('drill', 'loop-kill', '--report', 'junk.json', '--resume');
    expect(junk).toMatchObject({ status: 2 });
    expect(junk.err).toContain('junk.json: is no report of drills');

    expect(readFileSync(join(bench.directory, 'page.html'), 'utf8')).toContain('loop-kill, quorum');
  });

  it('leaves nothing of its own in the database', async () => {
    const client = new Client({
      host: '127.0.0.1',
      port: bench.plan().haproxy.write,
      user: 'postgres',
      password: bench.secret('superuser'),
      database: 'postgres',
    });
    await client.connect();
    try {
      const { rows } = await client.query('select relname from pg_stat_user_tables');
      expect(rows).toEqual([]);
    } finally {
      await client.end();
    }
  });
});
