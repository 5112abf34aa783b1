/** What the guard is asked for each action, and what becomes of its answers. */
import type { Instant, LaunchSpec, LeaseId, Timeline } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import type { Guard, GuardReply } from '../ports/guard.ts';
import { type GuardPerformers, createGuardPerformers } from './guard-performers.ts';

const launch: LaunchSpec = {
  command: '/usr/bin/postgres',
  arguments: ['-D', '/srv/data'],
  dataDirectory: '/srv/data',
  logFile: '/srv/log',
  user: undefined,
  environment: {},
};

interface Bench {
  readonly asked: unknown[][];
  readonly performers: GuardPerformers;
}

/** A guard that answers the same to everything. */
const open = (
  reply: GuardReply<{ readonly pid?: number; readonly silent?: boolean }>,
  spec: LaunchSpec | { kind: 'failed' | 'unknown'; cause: string } = launch,
): Bench => {
  const asked: unknown[][] = [];
  const answer = (name: string) => (request?: unknown) => {
    asked.push([name, request]);
    return Promise.resolve(reply);
  };
  const names = ['extend', 'start', 'adopt', 'stop', 'fence', 'promote', 'reload', 'leave'];
  const guard = Object.fromEntries(names.map((name) => [name, answer(name)])) as unknown as Guard;
  const performers = createGuardPerformers({
    guard,
    dataDirectory: '/srv/data',
    fenceOurselves: () => {
      asked.push(['ourselves', undefined]);
      return Promise.resolve({ silent: true });
    },
    launch: (as) => {
      asked.push(['launch', as]);
      return Promise.resolve(spec);
    },
  });
  return { asked, performers };
};

const calls: readonly (readonly [
  string,
  (performers: GuardPerformers) => Promise<unknown>,
  unknown[],
])[] = [
  [
    'extend-deadline',
    (performers) =>
      performers['extend-deadline']({
        kind: 'extend-deadline',
        deadline: 77 as Instant,
        leaseId: '7' as LeaseId,
      }),
    ['extend', { deadline: 77, leaseId: '7' }],
  ],
  [
    'fence',
    (performers) => performers.fence({ kind: 'fence', by: 'guard' }),
    ['fence', { dataDirectory: '/srv/data' }],
  ],
  [
    'start-server',
    (performers) => performers['start-server']({ kind: 'start-server', as: 'standby' }),
    ['start', { as: 'standby', launch }],
  ],
  [
    'stop-server',
    (performers) =>
      performers['stop-server']({ kind: 'stop-server', mode: 'fast', limitMs: 9_000 }),
    ['stop', { mode: 'fast', limitMs: 9_000 }],
  ],
  [
    'reload-server',
    (performers) => performers['reload-server']({ kind: 'reload-server' }),
    ['reload', undefined],
  ],
  [
    'promote',
    (performers) => performers.promote({ kind: 'promote', timeline: 3 as Timeline }),
    ['promote', undefined],
  ],
];

describe.each(calls)('%s', (_, perform, question) => {
  it('asks the guard, and hands on what was done', async () => {
    const { asked, performers } = open({ kind: 'done', pid: 4711, silent: true });
    expect(await perform(performers)).toEqual({ kind: 'done', pid: 4711, silent: true });
    expect(asked.at(-1)).toEqual(question);
  });

  it('takes a refusal for a failure: it had no effect', async () => {
    const { performers } = open({ kind: 'refused', cause: 'the deadline has passed' });
    expect(await perform(performers)).toEqual({ kind: 'failed', cause: 'the deadline has passed' });
  });

  it('does not know what a guard has done that does not answer', async () => {
    const { performers } = open({ kind: 'unknown', cause: 'no answer' });
    expect(await perform(performers)).toEqual({ kind: 'unknown', cause: 'no answer' });
  });
});

describe('starting a server', () => {
  it.each(['primary', 'standby', 'private'] as const)('as %s is prepared as such', async (as) => {
    const { asked, performers } = open({ kind: 'done', pid: 1 });
    await performers['start-server']({ kind: 'start-server', as });
    expect(asked).toEqual([
      ['launch', as],
      ['start', { as, launch }],
    ]);
  });

  it('is not asked for when it is not known how', async () => {
    const failure = { kind: 'failed', cause: 'no data directory' } as const;
    const { asked, performers } = open({ kind: 'done' }, failure);
    const result = await performers['start-server']({ kind: 'start-server', as: 'primary' });
    expect(result).toEqual(failure);
    expect(asked).toEqual([['launch', 'primary']]);
  });
});

describe('fencing by the loop itself', () => {
  it('leaves the guard out of it', async () => {
    const { asked, performers } = open({ kind: 'unknown', cause: 'no answer' });
    expect(await performers.fence({ kind: 'fence', by: 'loop' })).toEqual({
      kind: 'done',
      silent: true,
    });
    expect(asked).toEqual([['ourselves', undefined]]);
  });
});
