/**
 * `matriarch demo` from its beginning to its end, as a newcomer sees it, and the report it writes:
 * its shape, and what it must and must not say. It runs as an ordinary user in a directory of its
 * own, so that it is in nobody's way.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoReport, FaultReport } from '../../packages/matriarch/src/drills/report.ts';
import { findServerAccount } from './harness/account.ts';
import { type Ended, UpBench } from './local/up-bench.ts';

const MEMBERS = ['pg1', 'pg2', 'pg3'];
const DEMO_LIMIT_MS = 280_000;

const openBench = (): UpBench =>
  new UpBench({
    account: process.geteuid?.() === 0 ? findServerAccount() : undefined,
    name: 'demo',
    cluster: 'matriarch-demo',
  });

describe('the demo', () => {
  const bench = openBench();
  let ended: Ended;
  let report: DemoReport;

  beforeAll(async () => {
    const running = bench.start('demo', '--report', 'report.json');
    const timer = setTimeout(() => running.child.kill('SIGINT'), DEMO_LIMIT_MS);
    ended = await running.ended;
    clearTimeout(timer);
    if (ended.status !== 0) console.error(`${ended.out}\n${ended.err}`);
    report = JSON.parse(readFileSync(join(bench.directory, 'report.json'), 'utf8')) as DemoReport;
  });
  afterAll(async () => bench.close());

  const faultOf = (name: string): FaultReport => {
    const found = report.faults.find(({ fault }) => fault === name);
    if (found === undefined) throw new Error(`no fault ${name}`);
    return found;
  };

  it('ends well', () => {
    expect(ended).toMatchObject({ status: 0, err: '' });
  });

  it('reports the cluster, its store and three faults, and nothing else', () => {
    expect(report).toEqual({
      cluster: 'matriarch-demo',
      store: { name: 'etcd', version: expect.stringMatching(/^\d+\.\d+\.\d+/), members: 3 },
      faults: expect.any(Array),
    });
    expect(report.faults.map(({ fault }) => fault)).toEqual([
      'primary-crash',
      'host-loss',
      'switchover',
    ]);
  });

  it.each(['primary-crash', 'host-loss', 'switchover'])('has every figure of %s', (name) => {
    const fault = faultOf(name);
    expect(Object.keys(fault).sort()).toEqual(
      [
        'fault',
        'oldPrimary',
        'newPrimary',
        'writeOutageMs',
        'readOutageMs',
        'clientErrors',
        'acknowledged',
        'lost',
        'steps',
        'rejoinedMs',
      ].sort(),
    );
    const { writeOutageMs, readOutageMs, clientErrors, acknowledged, lost, rejoinedMs } = fault;
    for (const figure of [writeOutageMs, readOutageMs, clientErrors, acknowledged, lost])
      expect(Number.isInteger(figure) && (figure ?? -1) >= 0, JSON.stringify(fault)).toBe(true);
    expect(Number.isInteger(rejoinedMs)).toBe(true);
    expect(MEMBERS).toContain(fault.oldPrimary);
    expect(MEMBERS).toContain(fault.newPrimary);
    expect(acknowledged).toBeGreaterThan(100);
    expect(writeOutageMs).toBeGreaterThan(0);
  });

  it.each(['primary-crash', 'host-loss', 'switchover'])(
    'tells the story of %s in order',
    (name) => {
      const { steps, writeOutageMs } = faultOf(name);
      for (const step of steps) {
        expect(Object.keys(step)).toEqual(['name', 'atMs']);
        expect(Number.isInteger(step.atMs) && step.atMs >= 0, step.name).toBe(true);
      }
      const times = steps.map(({ atMs }) => atMs);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      const written = steps.filter((step) => step.name === 'write.acknowledged');
      expect(written).toHaveLength(1);
      // The outage may have begun a moment before or after the fault itself.
      expect(Math.abs((written[0]?.atMs ?? 0) - writeOutageMs)).toBeLessThan(1_000);
    },
  );

  it('has the primary move from one fault to the next', () => {
    const [crash, host, switchover] = report.faults;
    expect(host?.oldPrimary).toBe(crash?.newPrimary);
    expect(switchover?.oldPrimary).toBe(host?.newPrimary);
    for (const fault of [host, switchover]) expect(fault?.newPrimary).not.toBe(fault?.oldPrimary);
  });

  it('says who has promoted whom', () => {
    for (const name of ['host-loss', 'switchover']) {
      const { steps, newPrimary } = faultOf(name);
      const names = steps.map((step) => step.name);
      expect(names).toContain(`lease.acquired ${newPrimary}`);
      expect(names).toContain(`primary.promoted ${newPrimary}`);
    }
    const crash = faultOf('primary-crash');
    expect(crash.steps[0]?.name).toBe(`server.exited ${crash.oldPrimary}`);
  });

  it('loses nothing, also when a host is lost: commits wait for a replica', () => {
    expect(report.faults.map(({ lost }) => lost)).toEqual([0, 0, 0]);
  });

  it('counts writes on and on', () => {
    const counts = report.faults.map(({ acknowledged }) => acknowledged);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(new Set(counts).size).toBe(counts.length);
  });

  it('has every member back each time', () => {
    for (const { rejoinedMs } of report.faults) expect(rejoinedMs).toBeGreaterThan(0);
  });

  it('tells a person the same', () => {
    for (const { oldPrimary, newPrimary, rejoinedMs } of report.faults) {
      if (oldPrimary !== newPrimary) expect(ended.out).toContain(`${oldPrimary} → ${newPrimary}`);
      expect(ended.out).toContain(`${rejoinedMs} ms  every member streams again`);
    }
  });

  it('leaves nothing behind', () => {
    expect(bench.leftovers().filter((left) => left !== bench.directory)).toEqual([]);
  });
});

describe('a demo that is interrupted', () => {
  const bench = openBench();
  afterAll(async () => bench.close());

  it('stops everything, and leaves nothing behind', async () => {
    const running = bench.start('demo');
    await running.until('are at work');
    expect(await running.stop('SIGINT')).toMatchObject({ status: 130 });
    expect(bench.leftovers()).toEqual([]);
  });
});
