/**
 * Shows the loop's side of the channel: answers find their question, what does not come is unknown,
 * and a lost guard is told once. The channel is a pair of emitters, the other end answers by hand.
 */
import { EventEmitter } from 'node:events';
import { type GuardNotice, type LeaseId, type LoopMessage, instant } from '@matriarch/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Guard } from '../ports/guard.ts';
import { BEAT_MS, type GuardChannel, connectGuard } from './guard-client.ts';

class TestChannel extends EventEmitter implements GuardChannel {
  connected = true;
  readonly env = { MATRIARCH_INCARNATION: '4' };
  readonly sent: LoopMessage[] = [];

  send(message: LoopMessage): void {
    this.sent.push(message);
  }
}

const LEASE = '7' as LeaseId;
let channel: TestChannel;
let notices: GuardNotice[];
let losses: number;
let guard: Guard;

const connect = (): void => {
  guard = connectGuard(channel, {
    onNotice: (notice) => notices.push(notice),
    onLost: () => {
      losses += 1;
    },
  });
};

beforeEach(() => {
  vi.useFakeTimers();
  channel = new TestChannel();
  notices = [];
  losses = 0;
  connect();
});

afterEach(() => {
  guard.close();
  vi.useRealTimers();
});

describe('a request', () => {
  it('is answered by the answer with its number', async () => {
    const first = guard.extend({ deadline: instant(5), leaseId: LEASE });
    const second = guard.reload();
    channel.emit('message', { kind: 'done', id: 2 });
    channel.emit('message', { kind: 'deadline', id: 1, deadline: 5 });
    expect(await first).toEqual({ kind: 'done', deadline: 5 });
    expect(await second).toEqual({ kind: 'done' });
    expect(channel.sent).toEqual([
      { kind: 'extend', id: 1, deadline: 5, leaseId: LEASE },
      { kind: 'reload', id: 2 },
    ]);
  });

  it('that was refused says why', async () => {
    const promoted = guard.promote();
    channel.emit('message', { kind: 'refused', id: 1, cause: 'no server is running' });
    expect(await promoted).toEqual({ kind: 'refused', cause: 'no server is running' });
  });

  it('that set no deadline says so, although nothing travels for it', async () => {
    const reply = guard.extend({ deadline: instant(5), leaseId: LEASE });
    channel.emit('message', { kind: 'deadline', id: 1 });
    expect(await reply).toEqual({ kind: 'done', deadline: undefined });
  });

  it('without an answer in time is unknown, and a late answer does no harm', async () => {
    const fenced = guard.fence({ dataDirectory: '/data' });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await fenced).toMatchObject({ kind: 'unknown' });
    channel.emit('message', { kind: 'fenced', id: 1, silent: true });
  });

  it('waits for a stop as long as the stop may take', async () => {
    const stopped = guard.stop({ mode: 'fast', limitMs: 60_000 });
    await vi.advanceTimersByTimeAsync(61_000);
    channel.emit('message', { kind: 'stopped', id: 1, mode: 'immediate' });
    expect(await stopped).toEqual({ kind: 'done', mode: 'immediate' });
  });

  it('with an answer of another kind is unknown', async () => {
    const started = guard.leave(0);
    channel.emit('message', { kind: 'started', id: 1, pid: 7 });
    expect(await started).toMatchObject({ kind: 'unknown' });
  });
});

describe('the guard', () => {
  it('is heard: notices are handed on in order', () => {
    const hello = { kind: 'hello', incarnation: 4, process: { kind: 'none', silent: true } };
    channel.emit('message', hello);
    channel.emit('message', { kind: 'signal', signal: 'SIGTERM' });
    expect(notices).toEqual([hello, { kind: 'signal', signal: 'SIGTERM' }]);
    expect(guard.incarnation).toBe(4);
  });

  it('hears the beat', async () => {
    await vi.advanceTimersByTimeAsync(3 * BEAT_MS);
    expect(channel.sent).toEqual([{ kind: 'beat' }, { kind: 'beat' }, { kind: 'beat' }]);
  });

  it('that is lost is told once, and leaves no question open', async () => {
    const reloaded = guard.reload();
    channel.connected = false;
    channel.emit('disconnect');
    channel.emit('disconnect');
    expect(losses).toBe(1);
    expect(await reloaded).toMatchObject({ kind: 'unknown' });
    expect(await guard.promote()).toMatchObject({ kind: 'unknown' });
  });

  it('that was lost before we listened is told as well', async () => {
    guard.close();
    channel.connected = false;
    connect();
    await vi.advanceTimersByTimeAsync(0);
    expect(losses).toBe(1);
  });
});
