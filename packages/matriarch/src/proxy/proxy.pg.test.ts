/*
 * Shows the proxy with the real HAProxy: members are fakes with a REST API and a server that greets
 * (testing/fake-cluster.ts), the store is what the test says. Every move is seen through the front
 * door, as an application sees it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MemberName, memberName } from '@matriarch/core';
import { createHaproxyBalancer } from '../adapters/haproxy/haproxy-balancer.ts';
import { waitUntil } from '../testing/postgres.ts';
import { Visitor, whoAnswers } from './testing/fake-cluster.ts';
import { type ProxyLab, childrenOf, isRunning, openProxyLab } from './testing/proxy-lab.ts';

const a = memberName('a');
const b = memberName('b');

let lab: ProxyLab;

beforeEach(async () => {
  lab = await openProxyLab(['a', 'b', 'c']);
});

afterEach(async () => {
  await lab.close();
});

const roles = (...wanted: readonly ('primary' | 'promoting' | 'replica' | 'down')[]): void => {
  for (const [index, role] of wanted.entries()) {
    const member = lab.members[index];
    if (member !== undefined) member.role = role;
  }
};

const primary = { role: 'primary' };
const replica = { role: 'replica' };

/** A healthy cluster with `a` as primary, the API and the store of one mind. */
const healthy = (): void => {
  roles('primary', 'replica', 'replica');
  lab.store.say({ holder: a, term: 7 }, { a: primary, b: replica, c: replica });
};

describe('by event', () => {
  it('sends writes to the primary and reads to the replicas, in turn', async () => {
    healthy();
    await lab.mustStart();
    await lab.untilLogged('routes moved');
    expect(await whoAnswers(lab.ports.write)).toBe('a');
    const readers = [await whoAnswers(lab.ports.read), await whoAnswers(lab.ports.read)];
    expect(new Set(readers)).toEqual(new Set(['b', 'c']));
  });

  it('ends the sessions of the old primary, lets new ones wait, and opens the new primary', async () => {
    healthy();
    await lab.mustStart();
    await lab.untilLogged('routes moved');
    const old = new Visitor(lab.ports.write);
    expect(await old.greeted()).toBe('a');
    const reader = new Visitor(lab.ports.read);
    const readFrom = await reader.greeted();

    // The lease goes. The checks know nothing of it: the API of `a` still calls itself primary.
    const goneAt = performance.now();
    lab.store.say(undefined, { a: primary, b: replica, c: replica });
    await old.ended();
    const cutMs = performance.now() - goneAt;
    const waiting = new Visitor(lab.ports.write);

    // The new holder is still in recovery: nobody gets a write through.
    roles('down', 'promoting', 'replica');
    const before = lab.log.length;
    lab.store.say({ holder: b, term: 9 }, { b: replica, c: replica });
    lab.store.say({ holder: b, term: 9 }, { b: primary, c: replica });
    const openedAt = performance.now();
    roles('down', 'primary', 'replica');
    expect(await waiting.greeted()).toBe('b');
    const openMs = performance.now() - openedAt;

    expect(cutMs).toBeLessThan(2_000);
    expect(openMs).toBeLessThan(2_000);
    await lab.untilLogged('routes moved', before);
    expect(await whoAnswers(lab.ports.write)).toBe('b');
    // Readers are not disturbed, not even those of the new primary.
    expect(await reader.echoes()).toBe(true);
    expect(['b', 'c']).toContain(readFrom);
    expect(await whoAnswers(lab.ports.read)).toBe('c');
    waiting.leave();
    reader.leave();
  });

  it('reads from the primary when no replica is left', async () => {
    roles('primary', 'down', 'down');
    lab.store.say({ holder: a, term: 7 }, { a: primary });
    await lab.mustStart();
    await lab.untilLogged('routes moved');
    expect(await whoAnswers(lab.ports.read)).toBe('a');
  });

  it('ends the sessions of readers whose replica is lost', async () => {
    healthy();
    await lab.mustStart();
    await lab.untilLogged('routes moved');
    const readers = [new Visitor(lab.ports.read), new Visitor(lab.ports.read)];
    const names = await Promise.all(readers.map(async (reader) => reader.greeted()));
    lab.store.say({ holder: a, term: 7 }, { a: primary, c: replica });
    const lost = readers[names.indexOf('b')];
    const kept = readers[names.indexOf('c')];
    await lost?.ended();
    expect(await kept?.echoes()).toBe(true);
    kept?.leave();
  });

  it('moves nothing while the store cannot be read', async () => {
    healthy();
    await lab.mustStart();
    await lab.untilLogged('routes moved');
    const before = lab.log.length;
    lab.store.fallSilent();
    expect(await whoAnswers(lab.ports.write)).toBe('a');
    expect(lab.log.slice(before)).toEqual([]);
  });

  it('tries a change again until HAProxy has taken it', async () => {
    healthy();
    const proxy = await lab.mustStart();
    await lab.untilLogged('routes moved');
    const { haproxy } = proxy.pids();
    // All of HAProxy stands still: the change is not answered in time.
    const frozen = [haproxy ?? 0, ...(await childrenOf(haproxy ?? 0))];
    for (const pid of frozen) process.kill(pid, 'SIGSTOP');
    const before = lab.log.length;
    roles('down', 'primary', 'replica');
    lab.store.say({ holder: b, term: 9 }, { b: primary, c: replica });
    await lab.untilLogged('routes not moved, trying again', before);
    for (const pid of frozen) process.kill(pid, 'SIGCONT');
    await lab.untilLogged('routes moved', before);
    expect(await whoAnswers(lab.ports.write)).toBe('b');
  });
});

describe('a connection that is refused by a primary that has just died', () => {
  it('waits for the next one instead of being refused', async () => {
    healthy();
    await lab.mustStart();
    await lab.untilLogged('routes moved');
    expect(await whoAnswers(lab.ports.write)).toBe('a');
    // Nobody knows of it yet: neither the store nor a check.
    lab.members[0]?.crash();
    const early = new Visitor(lab.ports.write);
    await waitUntil('the refused connection to wait', async () => {
      const statistics = await fetch(`http://127.0.0.1:${lab.ports.statistics}/stats;csv`);
      return /^waiting-room,FRONTEND,[^,]*,[^,]*,1,/mu.test(await statistics.text());
    });
    lab.store.say(undefined, { b: replica, c: replica });
    const openedAt = performance.now();
    roles('down', 'primary', 'replica');
    lab.store.say({ holder: b, term: 9 }, { b: primary, c: replica });
    expect(await early.greeted()).toBe('b');
    expect(performance.now() - openedAt).toBeLessThan(2_000);
    early.leave();
  });
});

describe('connections that wait', () => {
  it('all go on at once, also on a machine that stalls', async () => {
    roles('down', 'replica', 'replica');
    lab.store.say(undefined, { b: replica, c: replica });
    const proxy = await lab.mustStart();
    const visitors = Array.from({ length: 100 }, () => new Visitor(lab.ports.write));
    const [worker = 0] = await childrenOf(proxy.pids().haproxy ?? 0);
    // Short stops, most of them longer than the pause between two looks of those who wait.
    for (let stall = 0; stall < 60; stall += 1) {
      process.kill(worker, 'SIGSTOP');
      await pause(8);
      process.kill(worker, 'SIGCONT');
      await pause(2);
    }
    roles('down', 'primary', 'replica');
    const openedAt = performance.now();
    lab.store.say({ holder: b, term: 9 }, { b: primary, c: replica });
    const names = await Promise.all(visitors.map(async (visitor) => visitor.greeted()));
    expect(new Set(names)).toEqual(new Set(['b']));
    expect(performance.now() - openedAt).toBeLessThan(1_500);
    for (const visitor of visitors) visitor.leave();
  });
});

describe('by the checks, when nothing else moves traffic', () => {
  it('begins with every server down, and brings up those that pass', async () => {
    // HAProxy asks the first server that is up first. Here that must not be one before its check.
    roles('replica', 'replica', 'primary');
    await lab.mustStart();
    expect(await whoAnswers(lab.ports.write)).toBe('c');
  });

  it('moves writes within two intervals, and never to a server in recovery', async () => {
    healthy();
    const proxy = await lab.mustStart();
    await lab.untilLogged('routes moved');
    // As when the process is dead: HAProxy is on its own.
    proxy.release();
    const old = new Visitor(lab.ports.write);
    expect(await old.greeted()).toBe('a');
    roles('down', 'promoting', 'replica');
    const changedAt = performance.now();
    await old.ended();
    const waiting = new Visitor(lab.ports.write);
    const asked = (): number =>
      lab.members[1]?.requests.filter((request) => request === 'GET /primary').length ?? 0;
    const before = asked();
    await waitUntil('b to be checked often enough to rise', () => asked() >= before + 3);
    expect(waiting.isGreeted).toBe(false);
    expect(waiting.isEnded).toBe(false);
    roles('down', 'primary', 'replica');
    expect(await waiting.greeted()).toBe('b');
    expect(performance.now() - changedAt).toBeLessThan(8_000);
    waiting.leave();
  });

  it('corrects a server that was raised by mistake', async () => {
    healthy();
    await lab.mustStart();
    await lab.untilLogged('routes moved');
    // The store is wrong, or too early: the API of `b` does not call itself primary.
    lab.store.say({ holder: b, term: 9 }, { b: primary, c: replica });
    roles('down', 'replica', 'replica');
    await lab.untilLogged('checks keep writes from the primary, its api does not answer as one');
  });

  it('refuses writes after the wait when nobody is primary', async () => {
    await lab.close();
    lab = await openProxyLab(['a', 'b', 'c'], { haproxy: { waitLimitMs: 300 } });
    roles('replica', 'replica', 'replica');
    await lab.mustStart();
    const begun = performance.now();
    expect(await whoAnswers(lab.ports.write)).toBeUndefined();
    expect(performance.now() - begun).toBeGreaterThan(290);
  });

  it('refuses at once when told not to wait', async () => {
    await lab.close();
    lab = await openProxyLab(['a', 'b'], { haproxy: { waitLimitMs: 0 } });
    roles('replica', 'replica');
    await lab.mustStart();
    expect(await whoAnswers(lab.ports.write)).toBeUndefined();
    roles('primary', 'replica');
    await waitUntil('a to answer', async () => (await whoAnswers(lab.ports.write)) === 'a');
  });
});

describe('members with host names', () => {
  it('are found, and left where they are while the name stays', async () => {
    healthy();
    const settings = {
      ...lab.settings,
      members: lab.settings.members.map((member) => ({ ...member, host: 'localhost' })),
    };
    await lab.mustStart({ settings });
    await lab.untilLogged('routes moved');
    expect(await whoAnswers(lab.ports.write)).toBe('a');
    const balancer = createHaproxyBalancer({
      runtime: lab.paths.haproxy.runtimeSocket,
      master: lab.paths.haproxy.masterSocket,
    });
    // HAProxy knows an old address of `c`.
    const before = lab.log.length;
    expect(await balancer.move(memberName('c'), '127.0.0.2')).toEqual({ kind: 'done' });
    const line = await lab.untilLogged('member has moved', before);
    expect(line).toMatchObject({ member: 'c', from: '127.0.0.2' });
    expect(lab.log.filter(({ message }) => message === 'member has moved')).toHaveLength(1);
    await lab.untilLogged('routes moved', before);
    const readers = [await whoAnswers(lab.ports.read), await whoAnswers(lab.ports.read)];
    expect(new Set(readers)).toEqual(new Set(['b', 'c']));
  });

  it('may not be known yet when HAProxy starts', async () => {
    healthy();
    const [first, second, third] = lab.settings.members;
    if (first === undefined || second === undefined || third === undefined)
      throw new Error('three');
    const settings = {
      ...lab.settings,
      members: [first, second, { ...third, host: 'no-such-host.invalid' }],
    };
    await lab.mustStart({ settings });
    await lab.untilLogged('routes moved');
    expect(await whoAnswers(lab.ports.write)).toBe('a');
    const balancer = createHaproxyBalancer({
      runtime: lab.paths.haproxy.runtimeSocket,
      master: lab.paths.haproxy.masterSocket,
    });
    await balancer.move(third.name as MemberName, '127.0.0.1');
    const seen = await balancer.observe();
    const servers = seen.kind === 'done' ? seen.servers : [];
    expect(servers.filter(({ member }) => member === third.name)).toEqual([
      { door: 'write', member: third.name, isUp: false, address: '127.0.0.1' },
      { door: 'read', member: third.name, isUp: false, address: '127.0.0.1' },
    ]);
    const readers = async (): Promise<readonly unknown[]> => [
      await whoAnswers(lab.ports.read),
      await whoAnswers(lab.ports.read),
    ];
    await waitUntil('c to be read from', async () => (await readers()).includes('c'));
  });
});

describe('two servers that take writes', () => {
  it('become one: the lease holder', async () => {
    healthy();
    await lab.mustStart();
    await lab.untilLogged('routes moved');
    roles('primary', 'primary', 'replica');
    const line = await lab.untilLogged('second server took writes');
    expect(line).toMatchObject({ level: 'error', outcome: 'done' });
    expect(await whoAnswers(lab.ports.write)).toBe('a');
  });
});

/** The built proxy in a process of its own, with a store in which `a` stays primary for ever. */
const SCRIPT = `
const { runProxy } = await import(process.argv[1]);
const versioned = (value) => ({ value, createRevision: 7, modRevision: 7 });
const member = (role) => versioned({ role, state: 'running', tags: {}, connUrl: '', apiUrl: '', ours: true });
const snapshot = {
  revision: 7,
  leader: versioned('a'),
  members: { a: member('primary'), b: member('replica'), c: member('replica') },
};
const log = (attributes, message) => console.log(message);
const started = await runProxy({
  ...JSON.parse(process.argv[2]),
  routes: { current: () => snapshot, onChange: () => ({ close: () => {} }) },
  log: { info: log, warn: log, error: log },
});
if (started.kind !== 'running') throw new Error(JSON.stringify(started));
`;

const startProcess = async (): Promise<ChildProcess> => {
  const built = new URL('../../dist/proxy/main.js', import.meta.url).href;
  const options = JSON.stringify({
    directory: join(lab.directory, 'proxy'),
    socketDirectory: lab.sockets,
    settings: lab.settings,
  });
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, built, options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await waitUntil('the process to move routes', () => said.includes('routes moved'));
  return child;
};

describe('what dies', () => {
  it('leaves the traffic to HAProxy: the proxy itself, killed', async () => {
    healthy();
    const child = await startProcess();
    const ended = once(child, 'exit');
    const session = new Visitor(lab.ports.write);
    expect(await session.greeted()).toBe('a');
    child.kill('SIGKILL');
    await ended;
    expect(await session.echoes()).toBe(true);

    roles('down', 'primary', 'replica');
    await session.ended();
    await waitUntil('b to answer', async () => (await whoAnswers(lab.ports.write)) === 'b');

    // The next run finds HAProxy as it is, and what the store says counts again.
    lab.store.say({ holder: b, term: 9 }, { b: primary, c: replica });
    const proxy = await lab.mustStart();
    expect(await lab.untilLogged('daemon serves')).toMatchObject({ how: 'adopted' });
    await lab.untilLogged('routes moved');
    expect(await whoAnswers(lab.ports.write)).toBe('b');
    await proxy.stop();
  });

  it('is started again, and told the routes anew', async () => {
    healthy();
    const proxy = await lab.mustStart();
    await lab.untilLogged('routes moved');
    const { haproxy: first } = proxy.pids();
    const before = lab.log.length;
    process.kill(first ?? 0, 'SIGKILL');
    await lab.untilLogged('daemon started again', before);
    await lab.untilLogged('routes moved', before);
    expect(await whoAnswers(lab.ports.write)).toBe('a');
    expect(proxy.pids().haproxy).not.toBe(first);
  });

  it('serves on when the proxy dies, and is taken over with its sessions', async () => {
    healthy();
    const first = await lab.mustStart();
    await lab.untilLogged('routes moved');
    const session = new Visitor(lab.ports.write);
    expect(await session.greeted()).toBe('a');
    first.release();

    const before = lab.log.length;
    const second = await lab.mustStart();
    const line = await lab.untilLogged('daemon serves', before);
    expect(line).toMatchObject({
      daemon: 'haproxy',
      how: 'adopted',
      pid: first.pids().haproxy ?? line['pid'],
    });
    expect(second.pids().haproxy).toBe(line['pid']);
    await lab.untilLogged('routes moved', before);
    expect(await session.echoes()).toBe(true);

    // What was adopted is supervised like everything else.
    process.kill(second.pids().haproxy ?? 0, 'SIGKILL');
    await lab.untilLogged('daemon started again', before);
  });

  it('stops at the end, with all it has started', async () => {
    healthy();
    const proxy = await lab.mustStart();
    const { haproxy } = proxy.pids();
    const pids = [haproxy ?? 0, ...(await childrenOf(haproxy ?? 0))];
    expect(pids).toHaveLength(2);
    await proxy.stop();
    expect(await Promise.all(pids.map(isRunning))).toEqual([false, false]);
    expect(await whoAnswers(lab.ports.write)).toBeUndefined();
  });
});

describe('reload', () => {
  it('adds a member without ending a session', async () => {
    healthy();
    const [, , third] = lab.settings.members;
    const two = { ...lab.settings, members: lab.settings.members.slice(0, 2) };
    const proxy = await lab.mustStart({ settings: two });
    await lab.untilLogged('routes moved');
    const session = new Visitor(lab.ports.write);
    expect(await session.greeted()).toBe('a');
    expect(third?.name).toBe('c');

    const before = lab.log.length;
    expect(await proxy.reload(lab.settings)).toEqual([]);
    await lab.untilLogged('routes moved', before);
    const readers = [await whoAnswers(lab.ports.read), await whoAnswers(lab.ports.read)];
    expect(new Set(readers)).toEqual(new Set(['b', 'c']));
    expect(await session.echoes()).toBe(true);

    // The session is the old worker's now. It ends with the lease all the same.
    lab.store.say(undefined, { a: primary, b: replica, c: replica });
    await session.ended();
  });

  it('keeps the file in use when HAProxy refuses another one', async () => {
    healthy();
    const proxy = await lab.mustStart();
    await lab.untilLogged('routes moved');
    const good = await readFile(lab.paths.haproxy.config, 'utf8');
    const bad = {
      ...lab.settings,
      haproxy: { ...lab.settings.haproxy, restTls: { caFile: '/nowhere/ca.crt' } },
    };
    const [problem, ...others] = await proxy.reload(bad);
    expect(others).toEqual([]);
    expect(problem?.code).toBe('rendered-file-refused');
    expect(problem?.message).toContain('/nowhere/ca.crt');
    expect(await readFile(lab.paths.haproxy.config, 'utf8')).toBe(good);
    expect(await whoAnswers(lab.ports.write)).toBe('a');
  });

  it('goes on as it was when the new worker cannot start', async () => {
    healthy();
    const two = { ...lab.settings, members: lab.settings.members.slice(0, 2) };
    const proxy = await lab.mustStart({ settings: two });
    await lab.untilLogged('routes moved');
    const good = await readFile(lab.paths.haproxy.config, 'utf8');
    // An address that is not this machine's passes every check but the kernel's.
    const write = { host: '192.0.2.99', port: lab.ports.write };
    const problems = await proxy.reload({
      ...lab.settings,
      haproxy: { ...lab.settings.haproxy, write },
    });
    expect(problems.map(({ code }) => code)).toEqual(['child-process-failed']);
    expect(await readFile(lab.paths.haproxy.config, 'utf8')).toBe(good);
    expect(await whoAnswers(lab.ports.write)).toBe('a');
    // Events still find the members HAProxy knows, and only those.
    const before = lab.log.length;
    roles('down', 'primary', 'replica');
    lab.store.say({ holder: b, term: 9 }, { b: primary, c: replica });
    expect(await lab.untilLogged('routes moved', before)).toMatchObject({ write: 'b', reads: [] });
    expect(await whoAnswers(lab.ports.write)).toBe('b');
    expect(lab.log.slice(before).filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('does not move to a port that is taken', async () => {
    healthy();
    const proxy = await lab.mustStart();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const write = { host: '127.0.0.1', port };
    const problems = await proxy.reload({
      ...lab.settings,
      haproxy: { ...lab.settings.haproxy, write },
    });
    other.close();
    expect(problems.map(({ code }) => code)).toEqual(['port-taken']);
    expect(await whoAnswers(lab.ports.write)).toBe('a');
  });
});

describe('a start that cannot be', () => {
  it('names the package of a program that is missing', async () => {
    const settings = {
      ...lab.settings,
      haproxy: { ...lab.settings.haproxy, program: 'haproxy-of-nowhere' },
    };
    const started = await lab.start({ settings });
    expect(started).toEqual({
      kind: 'refused',
      problems: [
        {
          code: 'binary-missing',
          message:
            'HAProxy cannot be run: no program haproxy-of-nowhere on the PATH or in /usr/sbin. ' +
            "Install the package haproxy, or name the program's path.",
        },
      ],
    });
  });

  it('names a port that is taken', async () => {
    const other = createServer().listen(lab.ports.read, '127.0.0.1');
    await once(other, 'listening');
    const started = await lab.start();
    other.close();
    expect(started).toEqual({
      kind: 'refused',
      problems: [
        {
          code: 'port-taken',
          message:
            `HAProxy cannot listen on 127.0.0.1:${lab.ports.read}: another process does. ` +
            'Stop that process, or change the ports of the load balancer.',
        },
      ],
    });
  });

  it('says what a program wrote that ends at once', async () => {
    const program = `${lab.directory}/haproxy`;
    await writeFile(
      program,
      '#!/bin/sh\ncase "$1" in -c) exit 0;; esac\necho no luck today >&2\nexit 3\n',
    );
    await chmod(program, 0o755);
    const started = await lab.start({
      settings: { ...lab.settings, haproxy: { ...lab.settings.haproxy, program } },
    });
    expect(started).toMatchObject({
      kind: 'refused',
      problems: [{ code: 'child-process-failed' }],
    });
    expect(JSON.stringify(started)).toContain('ended with status 3');
    expect(JSON.stringify(started)).toContain('no luck today');
  });

  it('refuses a directory whose sockets would be too long', async () => {
    const started = await lab.start({ socketDirectory: `/tmp/${'long/'.repeat(20)}` });
    expect(started).toMatchObject({
      kind: 'refused',
      problems: [{ code: 'configuration-invalid' }],
    });
  });
});

describe('the statistics page', () => {
  it('can be read and changes nothing', async () => {
    healthy();
    await lab.mustStart();
    await lab.untilLogged('routes moved');
    const url = `http://127.0.0.1:${lab.ports.statistics}/stats`;
    expect((await fetch(url)).status).toBe(200);
    await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 's=a&action=dhlth&b=primary',
    }).catch(() => undefined);
    expect(await whoAnswers(lab.ports.write)).toBe('a');
  });
});
