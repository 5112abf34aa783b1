/**
 * `matriarch explain` after what it is for, on one cluster: a switchover, a crash, a host that is lost
 * with its journal and with WAL that nobody else had, and the same host when it is back. What is told
 * is compared with what was done.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  hold,
  killAll,
  letGo,
  postmasterPid,
  serverPids,
} from '../../packages/matriarch/src/drills/processes.ts';
import { memberPaths } from '../../packages/matriarch/src/local/directories.ts';
import { withDescendants } from '../../packages/matriarch/src/local/process-tree.ts';
import { decodeText, readKey } from './harness/etcd-gateway.ts';
import { listProcesses, signal } from './harness/processes.ts';
import { waitFor, waitUntil } from './harness/wait.ts';
import { type Running, UpBench } from './local/up-bench.ts';

interface Step {
  readonly teller: string;
  readonly offsetMs: number;
  readonly phase: string;
  readonly text: string;
  readonly event?: string;
  readonly rule?: string;
  readonly because?: string;
  readonly alsoBy?: readonly { readonly teller: string; readonly laterMs: number }[];
}

interface Incident {
  readonly kind: string;
  readonly from?: string;
  readonly to?: string;
  readonly settled: boolean;
  readonly missing: readonly string[];
  readonly withoutPrimaryMs?: number;
  readonly isInferred: boolean;
  readonly stages: readonly { readonly name: string }[];
  readonly steps: readonly Step[];
  readonly silences: readonly { readonly member: string; readonly by: string }[];
  readonly loss?: Readonly<Record<string, string | number>>;
}

const NOTHING: Incident = {
  kind: 'other',
  settled: true,
  missing: [],
  isInferred: false,
  stages: [],
  steps: [],
  silences: [],
};

interface Told {
  readonly incidents: readonly Incident[];
  readonly tellers: readonly { readonly teller: string; readonly from: string }[];
}

describe('explain', () => {
  let bench: UpBench;
  let up: Running;

  const tell = async (...args: readonly string[]): Promise<Told> => {
    const { status, out, err } = await bench.run('explain', '--format', 'json', ...args);
    if (status !== 0) throw new Error(err);
    return JSON.parse(out) as Told;
  };

  interface Row {
    readonly member?: string;
    readonly event?: string;
    readonly clock: number;
  }

  /** What a member has told last of all is in the store. */
  const untilStored = async (member: string): Promise<void> => {
    const { stateDirectory } = memberPaths(bench.paths.state, member);
    const file = join(stateDirectory, 'journal.jsonl');
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const last = lines.map((line) => JSON.parse(line) as Row).findLast(({ event }) => event);
    const endpoint = `http://127.0.0.1:${bench.plan().etcd[0]?.client ?? 0}`;
    const key = `/service/${bench.cluster}/matriarch/journal`;
    await waitUntil(`the store to have what ${member} told`, async () => {
      const seen = await readKey(endpoint, key);
      const { rows } = JSON.parse(decodeText(seen?.value ?? '')) as { rows: readonly Row[] };
      return rows.some(
        (row) => row.member === member && row.event === last?.event && row.clock === last?.clock,
      );
    });
  };

  /** The last incident, once it satisfies. */
  const untilTold = async (what: string, satisfies: (incident: Incident) => boolean) => {
    let last: Incident | undefined;
    return waitFor(
      what,
      async () => {
        last = (await tell()).incidents.at(-1);
        return last !== undefined && satisfies(last) ? last : undefined;
      },
      { explain: () => JSON.stringify(last, undefined, 2) },
    );
  };

  const isOver =
    (kind: string) =>
    (incident: Incident): boolean =>
      incident.kind === kind && incident.settled && incident.missing.length === 0;

  const leader = async (): Promise<string> => {
    const { out } = await bench.run('list', '--format', 'json');
    const rows = JSON.parse(out) as readonly { readonly Member: string; readonly Role: string }[];
    return rows.find(({ Role }) => Role === 'Leader')?.Member ?? '';
  };

  const untilWell = async (): Promise<void> =>
    waitUntil('two standbys that stream', async () => {
      const { out } = await bench.run('list', '--format', 'json');
      const rows = JSON.parse(out) as readonly { readonly State: string }[];
      return rows.filter(({ State }) => State === 'streaming').length === 2;
    });

  const dataOf = (member: string): string => memberPaths(bench.paths.state, member).data;

  const write = async (sql: string): Promise<string> => {
    const line = up.out.split('\n').find((one) => one.startsWith('write:')) ?? '';
    return bench.paste(line.slice('write:'.length).trim(), sql);
  };

  const texts = ({ steps }: Incident): readonly string[] =>
    steps.map(({ teller, text }) => `${teller} ${text}`);

  /** All that a member told, in its own order: also what somebody else saw before it. */
  const toldBy = (member: string, { steps }: Incident): readonly string[] =>
    steps
      .flatMap(({ teller, text, offsetMs, alsoBy = [] }) =>
        [{ teller, laterMs: 0 }, ...alsoBy].flatMap((told) =>
          told.teller === member ? [{ text, atMs: offsetMs + told.laterMs }] : [],
        ),
      )
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ text }) => text);

  /** The lines are there, in this order. */
  const expectInOrder = (incident: Incident, ...lines: readonly (string | RegExp)[]): void => {
    const told = texts(incident);
    let from = 0;
    for (const line of lines) {
      const found = told.findIndex(
        (text, index) =>
          index >= from && (typeof line === 'string' ? text === line : line.test(text)),
      );
      expect(found, `"${String(line)}" behind line ${from} of\n${told.join('\n')}`).not.toBe(-1);
      from = found;
    }
  };

  beforeAll(async () => {
    bench = new UpBench({ name: 'explain' });
    bench.write('cluster.yaml', `cluster: ${bench.cluster}\nmembers: 3\n`);
    up = bench.start('up');
    await up.until('Ctrl-C stops it; the data stays.');
    await write('create table rows (number int)');
  });
  afterAll(async () => {
    await bench.close();
  });
  afterEach(async ({ task }) => {
    if ((task.result?.errors ?? []).length > 0)
      console.error((await bench.run('explain', '--since', '1h')).out);
  });

  it('tells how the cluster began', async () => {
    await untilWell();
    const incident = await untilTold('the beginning', isOver('start'));
    expect(incident).toMatchObject({ to: await leader() });
    expect(incident.loss).toBeUndefined();
  });

  it('tells a switchover: asked for, decided, done, nothing lost', async () => {
    const old = await leader();
    // On a machine that is busy it may be given up: the standbys were asked in vain.
    await waitUntil(
      'a switchover that is done',
      async () => (await bench.run('switchover', '--force')).status === 0,
      { intervalMs: 3_000 },
    );
    const fresh = await leader();
    const incident = await untilTold('the switchover', isOver('switchover'));
    expect(incident).toMatchObject({
      from: old,
      to: fresh,
      isInferred: false,
      loss: { kind: 'nothing' },
    });
    expectInOrder(
      incident,
      /a switchover is asked for/u,
      // Who stands ready then need not be who has everything in the end.
      new RegExp(`^${old} switch over to pg\\d$`, 'u'),
      `${old} stop the primary in good order`,
      /the end of its WAL is /u,
      `${old} hand the lease over to ${fresh}`,
      `${fresh} take the lease`,
      new RegExp(`^${fresh} holds the lease`, 'u'),
      new RegExp(`^${fresh} PostgreSQL is out of recovery and accepts writes`, 'u'),
    );
    expect(incident.silences.map(({ member }) => member)).toContain(old);
  });

  it('tells a crash: what was seen, who took over and why, and how the old one was silent', async () => {
    await untilWell();
    await write('insert into rows select generate_series(1, 100)');
    const old = await leader();
    const begun = Date.now();
    signal(postmasterPid(dataOf(old)), 'SIGKILL');
    await waitUntil('another leader', async () => ![old, ''].includes(await leader()));
    const fresh = await leader();
    const outageMs = Date.now() - begun;
    const incident = await untilTold('the crash', isOver('failover'));
    expect(incident).toMatchObject({ from: old, to: fresh, loss: { kind: 'nothing' } });
    expect(incident.withoutPrimaryMs).toBeGreaterThan(0);
    expect(incident.withoutPrimaryMs).toBeLessThan(outageMs + 5_000);
    expectInOrder(
      incident,
      `${old} PostgreSQL ended, the primary: signal SIGKILL`,
      /the guard swept: no process of PostgreSQL is left/u,
      `${old} hand the lease over to ${fresh}`,
      `${fresh} take the lease`,
      new RegExp(`^proxy writes go to ${fresh}`, 'u'),
      new RegExp(`^${old} streams`, 'u'),
    );
    const decided = incident.steps.find(({ event }) => event === 'lease.handed-over');
    expect(decided).toMatchObject({
      rule: 'hand-over-when-standby-has-all-wal',
      because: expect.stringContaining(`${fresh} has everything up to`),
    });
    expect(incident.silences).toMatchObject([{ by: 'guard' }, { by: 'own-report' }]);
    expect(incident.stages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['silent', 'handed over', 'lease taken', 'accepts writes']),
    );
    expect(await write('select count(*) from rows')).toBe('100');
  });

  describe('of a host that is lost', () => {
    let old = '';
    let last = NOTHING;

    it('tells what the others saw, and does not claim that nothing was lost', async () => {
      await untilWell();
      old = await leader();
      last = (await tell()).incidents.at(-1) ?? NOTHING;
      // What it told is in the store soon; then it is silent for ever.
      await untilStored(old);
      const senders = listProcesses().filter(
        ({ directory, commandLine }) =>
          directory === dataOf(old) && commandLine.includes('walsender'),
      );
      expect(senders).toHaveLength(2);
      for (const { pid } of senders) signal(pid, 'SIGSTOP');
      await write('insert into rows select generate_series(1, 500)');
      hold(bench.paths.held, old);
      killAll(hostPids(old), 'SIGKILL');
      const incident = await untilTold(
        'the failover',
        ({ kind, settled, missing, steps, to }) =>
          kind === 'failover' &&
          settled &&
          missing.length === 1 &&
          missing[0] === old &&
          // The proxy's checks have their own pace: what it did is told when it has done it.
          steps.some(({ text }) => text.startsWith(`writes go to ${to ?? ''}`)),
      );
      const fresh = await leader();
      expect(incident).toMatchObject({
        from: old,
        to: fresh,
        missing: [old],
        isInferred: true,
        loss: { kind: 'unknown' },
        silences: [{ member: old, by: 'lease-expiry' }],
      });
      expectInOrder(
        incident,
        new RegExp(`the lease of ${old} is free: it has expired`, 'u'),
        `${fresh} take the lease`,
        new RegExp(`^proxy writes go to ${fresh}`, 'u'),
      );
      const { out } = await bench.run('explain');
      expect(out).toContain('not known yet');
      expect(out).toContain(`${old} has not come back yet`);
    });

    it('tells its part of earlier incidents from the store', async () => {
      const { tellers, incidents } = await tell('--last', '2');
      expect(tellers).toContainEqual(
        expect.objectContaining({ teller: old, from: 'store', cause: expect.any(String) }),
      );
      const [first = NOTHING] = incidents;
      expect(texts(first)).toContain(`${old} take the lease`);
      // The store keeps the newest part: of an earlier incident the first lines may be gone.
      const own = toldBy(old, first);
      expect(own.toSorted()).toEqual(toldBy(old, last).slice(-own.length).toSorted());
    });

    it('tells what was lost and where it is kept, when it is back', async () => {
      letGo(bench.paths.held, old);
      const incident = await untilTold('its return', isOver('failover'));
      const { loss } = incident;
      expect(loss).toMatchObject({ kind: 'lost', member: old });
      expect(Number(loss?.['bytes'])).toBeGreaterThan(10_000);
      const keptAt = String(loss?.['keptAt']);
      expect(existsSync(keptAt)).toBe(true);
      expect(JSON.parse(readFileSync(join(keptAt, 'fork.json'), 'utf8'))).toMatchObject({
        from: loss?.['from'],
        to: loss?.['to'],
      });
      expectInOrder(
        incident,
        `${old} the agent’s loop began`,
        new RegExp(`^${old} keep the WAL that the cluster does not have`, 'u'),
        new RegExp(`^${old} rewound`, 'u'),
        new RegExp(`^${old} streams`, 'u'),
      );
      expect(await write('select count(*) from rows')).toBe('100');
      const { out } = await bench.run('explain');
      expect(out).toContain(`${String(loss?.['bytes'])} bytes of WAL`);
    });
  });

  it('has lines for a terminal, without colours where there is none', async () => {
    const { status, out, err } = await bench.run('explain', '--since', '1h');
    expect([status, err]).toEqual([0, '']);
    expect(out).not.toContain(String.fromCodePoint(27));
    expect(out.match(/^\d+\. /gmu)?.length).toBeGreaterThanOrEqual(4);
    const long = out.split('\n').filter((line) => line.length > 100 && line.trim().includes(' '));
    expect(long).toEqual([]);
  });

  /** Agent, guard, loop, PostgreSQL and the host's etcd. */
  const hostPids = (member: string): readonly number[] => {
    const pidOf = (record: string): number => {
      const text = readFileSync(join(bench.paths.children, `${record}.json`), 'utf8');
      return (JSON.parse(text) as { readonly pid: number }).pid;
    };
    const roots = [pidOf(`member.${member}`), pidOf(`store.etcd${member.slice('pg'.length)}`)];
    return [...new Set([...withDescendants(roots), ...serverPids(dataOf(member))])];
  };
});
