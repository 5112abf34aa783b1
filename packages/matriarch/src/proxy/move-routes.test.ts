/*
 * Shows in which order changes are made when events come faster than HAProxy answers. The load
 * balancer is one of this test's own, which answers when the test says so.
 */
import { type RouteStep, memberName } from '@matriarch/core';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RouteMover } from './move-routes.ts';
import type { Balancer } from './ports/balancer.ts';
import type { PortOutcome } from './ports/outcome.ts';
import type { Pooler } from './ports/pooler.ts';
import { FakeStore } from './testing/fake-cluster.ts';

const a = memberName('a');
const b = memberName('b');

/** Changes that wait for their answer, as `lower write a; raise write b`. */
interface Pending {
  readonly told: string;
  readonly answer: (outcome: PortOutcome) => void;
}

let pending: Pending[];
let pooled: string[];
let warnings: string[];
let store: FakeStore;
let mover: RouteMover;

const describe = (steps: readonly RouteStep[]): string =>
  steps.map(({ kind, door, member }) => `${kind} ${door} ${member}`).join('; ');

const balancer: Balancer = {
  change: (steps) =>
    new Promise((answer) => {
      pending.push({ told: describe(steps), answer });
    }),
  observe: async () => ({ kind: 'done', servers: [] }),
  move: async () => ({ kind: 'done' }),
};

const pooler: Pooler = {
  reconnect: async (doors) => {
    pooled.push(`reconnect ${doors.join(' ')}`);
    return { kind: 'failed', cause: 'nobody there' };
  },
  retryLogins: async () => {
    pooled.push('retry logins');
    return { kind: 'done' };
  },
};

const primary = { role: 'primary' };
const replica = { role: 'replica' };

/** The change that waits; its answer lets the mover go on. */
const next = async (outcome: PortOutcome = { kind: 'done' }): Promise<string> => {
  await vi.waitFor(() => expect(pending).toHaveLength(1));
  const [change] = pending.splice(0);
  change?.answer(outcome);
  return change?.told ?? '';
};

beforeEach(() => {
  pending = [];
  pooled = [];
  warnings = [];
  store = new FakeStore();
  mover = new RouteMover({
    source: store,
    balancer,
    pooler,
    members: [a, b],
    log: {
      info: () => undefined,
      warn: (_attributes, message) => warnings.push(message),
      error: () => undefined,
    },
  });
});

afterEach(() => mover.close());

const begin = async (): Promise<void> => {
  store.say({ holder: a, term: 7 }, { a: primary, b: replica });
  mover.open();
  expect(await next()).toBe(
    'lower write b; end-sessions write b; lower read a; raise write a; raise read b',
  );
  await vi.waitFor(() => expect(mover.routes?.write).toBe(a));
};

it('answers any number of events during a change with one more change', async () => {
  await begin();
  store.say(undefined, { a: primary, b: replica });
  await vi.waitFor(() => expect(pending).toHaveLength(1));
  store.say({ holder: b, term: 9 }, { b: replica });
  store.say({ holder: b, term: 9 }, { b: primary });
  store.say({ holder: b, term: 9 }, { a: replica, b: primary });
  expect(await next()).toBe('lower write a; end-sessions write a');
  expect(await next()).toBe('lower read b; raise write b; raise read a');
  await vi.waitFor(() => expect(mover.routes).toMatchObject({ write: b, reads: [a] }));
  expect(pending).toEqual([]);
});

it('takes nothing for granted after a change that failed', async () => {
  await begin();
  store.say(undefined, { a: primary, b: replica });
  expect(await next({ kind: 'failed', cause: 'no answer' })).toBe(
    'lower write a; end-sessions write a',
  );
  expect(await next()).toBe(
    'lower write a; end-sessions write a; lower write b; end-sessions write b; lower read a; raise read b',
  );
  expect(warnings).toContain('routes not moved, trying again');
});

it('does not forget that HAProxy was started anew while a change was on its way', async () => {
  await begin();
  store.say(undefined, { a: primary, b: replica });
  await vi.waitFor(() => expect(pending).toHaveLength(1));
  mover.startOver();
  expect(await next()).toBe('lower write a; end-sessions write a');
  expect(await next()).toContain('lower write b');
});

it('refreshes the pools after HAProxy, and goes on when they do not answer', async () => {
  await begin();
  pooled = [];
  store.say(undefined, { a: primary, b: replica });
  await next();
  await vi.waitFor(() => expect(pooled).toEqual(['reconnect write']));
  store.say({ holder: b, term: 9 }, { b: primary });
  await next();
  await vi.waitFor(() =>
    expect(pooled).toEqual(['reconnect write', 'reconnect read', 'retry logins']),
  );
  expect(warnings).toContain('pools not refreshed');
});

it('says nothing more once it is closed', async () => {
  await begin();
  mover.close();
  store.say(undefined, {});
  mover.startOver();
  expect(pending).toEqual([]);
});
