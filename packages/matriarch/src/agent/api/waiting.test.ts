/**
 * The small helpers that wait: sharing one call among many callers, the fresh look at the server,
 * watching for a state. Promises are settled by hand, so that every order can be played.
 */
import type { MemberState, ServerProbe } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { coalesce, withinLimit } from './coalesce.ts';
import { createFreshLook } from './fresh-look.ts';
import { createStateWatchers } from './state-watch.ts';
import {
  NOW,
  buildState,
  primaryAnswer,
  replicaState,
  standbyAnswer,
} from './testing/build-state.ts';
import { createTestSource } from './testing/test-source.ts';

/** A call whose answers the test gives. */
const createCalls = () => {
  const open: { resolve: (value: string) => void; reject: (error: Error) => void }[] = [];
  return {
    open,
    call: (): Promise<string> =>
      new Promise((resolve, reject) => {
        open.push({ resolve, reject });
      }),
  };
};

/** What a call that hangs answers. */
const never = <T>(): Promise<T> => new Promise<T>(() => {});

describe('callers that share a call', () => {
  it('get the one that began after they asked', async () => {
    const { open, call } = createCalls();
    const shared = coalesce(call);
    const first = shared();
    const second = shared();
    const third = shared();
    expect(open).toHaveLength(1);
    open[0]?.resolve('one');
    expect(await first).toBe('one');
    await Promise.resolve();
    expect(open).toHaveLength(2);
    const fourth = shared();
    open[1]?.resolve('two');
    expect(await Promise.all([second, third])).toEqual(['two', 'two']);
    await Promise.resolve();
    expect(open).toHaveLength(3);
    open[2]?.resolve('three');
    expect(await fourth).toBe('three');
    expect(shared()).toBeInstanceOf(Promise);
    expect(open).toHaveLength(4);
  });

  it('are not held up by one that failed', async () => {
    const { open, call } = createCalls();
    const shared = coalesce(call);
    const first = shared();
    const second = shared();
    open[0]?.reject(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    await Promise.resolve();
    open[1]?.resolve('well');
    expect(await second).toBe('well');
  });
});

describe('a limit', () => {
  it('ends waiting, and lets through what comes in time', async () => {
    expect(await withinLimit(never<string>(), 1)).toBeUndefined();
    expect(await withinLimit(Promise.resolve('in time'), 10_000)).toBe('in time');
  });
});

describe('the fresh look', () => {
  const older = standbyAnswer({ replayPaused: false });
  const newer = standbyAnswer({ replayPaused: true });

  it('brings what the server says now', async () => {
    const source = createTestSource(replicaState());
    source.look = () => Promise.resolve(newer);
    expect((await createFreshLook(source)()).probe?.value).toBe(newer);
  });

  it.each<readonly [string, () => Promise<ServerProbe>]>([
    ['does not answer', () => Promise.resolve({ kind: 'no-answer', cause: 'timeout' })],
    ['does not answer in time', () => never()],
  ])('leaves the last facts when the server %s', async (_name, look) => {
    const source = createTestSource(
      replicaState({}, { state: { probe: { value: older, at: NOW } } }),
    );
    source.look = look;
    expect((await createFreshLook(source)()).probe?.value).toBe(older);
  });

  it('does not ask a server that does not run', async () => {
    const source = createTestSource(buildState());
    await createFreshLook(source)();
    expect(source.counts.looks).toBe(0);
  });

  it.each<readonly [string, Partial<MemberState>]>([
    ['it is gone', { process: { kind: 'none', silent: false }, probe: undefined }],
    [
      'another one runs',
      {
        process: { kind: 'running', pid: 9, startedAs: 'standby', promoted: false },
        probe: undefined,
      },
    ],
  ])('forgets what it saw of a server when %s', async (_name, change) => {
    const source = createTestSource(replicaState());
    source.look = () => {
      source.become({ ...source.current, ...change });
      return Promise.resolve(newer);
    };
    expect((await createFreshLook(source)()).probe).toBeUndefined();
  });

  it('does not put its answer in the place of a later one', async () => {
    const source = createTestSource(replicaState());
    const promoted = primaryAnswer();
    source.look = () => {
      const at = (NOW + 1) as typeof NOW;
      source.become({ ...source.current, probe: { value: promoted, at } });
      return Promise.resolve(newer);
    };
    expect((await createFreshLook(source)()).probe?.value).toBe(promoted);
  });
});

describe('a watch for a state', () => {
  const isDone = ({ leaving }: MemberState): boolean => leaving !== undefined;
  const done = buildState({ state: { leaving: { since: NOW } } });
  const forever = 60_000;

  it('ends with the first state that satisfies, also the present one', async () => {
    const watchers = createStateWatchers(() => buildState());
    const { signal } = new AbortController();
    const waiting = watchers.watch(isDone, { limitMs: forever, signal });
    watchers.notify(buildState());
    watchers.notify(done);
    expect(await waiting).toBe(done);
    const there = createStateWatchers(() => done);
    expect(await there.watch(isDone, { limitMs: forever, signal })).toBe(done);
  });

  it('ends without one at its limit, and when nobody waits any more', async () => {
    const watchers = createStateWatchers(() => buildState());
    const leaving = new AbortController();
    expect(await watchers.watch(isDone, { limitMs: 1, signal: leaving.signal })).toBeUndefined();
    const waiting = watchers.watch(isDone, { limitMs: forever, signal: leaving.signal });
    leaving.abort();
    expect(await waiting).toBeUndefined();
    const late = watchers.watch(isDone, { limitMs: forever, signal: leaving.signal });
    expect(await late).toBeUndefined();
  });
});
