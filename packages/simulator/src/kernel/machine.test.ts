/**
 * What stops what: a stopped process keeps its messages in order, a frozen host stops all processes
 * and no clock, a paused virtual machine stops both, a crash loses what was on its way.
 */
import { instant } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { HostClock } from './host-clock.ts';
import { Kernel } from './kernel.ts';
import { Machine } from './machine.ts';

const makeMachine = () => {
  const kernel = new Kernel();
  const machine = new Machine('anna', kernel, new Random(1, 'anna'));
  const process = machine.spawn('loop');
  const got: string[] = [];
  const say = (word: string) => (): void => {
    got.push(word);
  };
  return { kernel, machine, process, got, say };
};

describe('WallClock', () => {
  it('goes on as the world does, and is what it was set to', () => {
    const { kernel, machine } = makeMachine();
    const { wallClock } = machine;
    const first = wallClock.read();
    kernel.runUntil(1_000);
    expect(wallClock.read()).toBe(first + 1_000);
    wallClock.set(-60_000);
    machine.pause();
    kernel.runUntil(2_000);
    expect(wallClock.read()).toBe(first + 2_000 - 60_000);
  });

  it('knows the latest time that it has shown since a moment', () => {
    const { kernel, machine } = makeMachine();
    const { wallClock } = machine;
    const first = wallClock.read();
    kernel.runUntil(1_000);
    wallClock.set(60_000);
    kernel.runUntil(2_000);
    wallClock.set(-60_000);
    kernel.runUntil(3_000);
    expect(wallClock.latestSince(0)).toBe(first + 62_000);
    expect(wallClock.latestSince(2_000)).toBe(first + 62_000);
    expect(wallClock.latestSince(2_001)).toBe(first + 3_000);
  });
});

describe('HostClock', () => {
  it('runs at its rate, in steps, and tells when it will show an instant', () => {
    const clock = new HostClock({ now: 1_000, offsetMs: 500, rate: 1.001 });
    expect(clock.readAt(11_005)).toBe(10_510);
    const at = clock.trueTimeOf(instant(20_000));
    expect(clock.readAt(at + 0.001)).toBe(20_000);
    expect(clock.readAt(at - 0.001)).toBe(19_990);
  });

  it('stands still while paused and goes on from there', () => {
    const clock = new HostClock({ now: 0, offsetMs: 0, rate: 1 });
    clock.pause(1_000);
    expect(clock.readAt(5_000)).toBe(1_000);
    clock.resume(5_000);
    expect(clock.readAt(6_000)).toBe(2_000);
  });
});

describe('SimProcess', () => {
  it('keeps what arrives while it is stopped, in order, also when it arrives on waking up', () => {
    const { kernel, process, got, say } = makeMachine();
    process.stop();
    process.deliver(say('first'));
    process.deliver(say('second'));
    expect(got).toEqual([]);
    process.continue();
    process.deliver(say('third'));
    kernel.runUntil(100);
    expect(got).toEqual(['first', 'second', 'third']);
  });

  it('needs as many continues as it had stops', () => {
    const { kernel, process, got, say } = makeMachine();
    process.stop();
    process.stop();
    process.deliver(say('word'));
    process.continue();
    kernel.runUntil(100);
    expect(got).toEqual([]);
    process.continue();
    kernel.runUntil(200);
    expect(got).toEqual(['word']);
  });

  it('loses what arrives after its death', () => {
    const { kernel, process, got, say } = makeMachine();
    process.after(50, say('late'));
    process.kill();
    kernel.runUntil(100);
    expect(got).toEqual([]);
  });
});

describe('Machine', () => {
  it('goes on telling the time while it is frozen, and not while it is paused', () => {
    const { kernel, machine, process, got, say } = makeMachine();
    const start = machine.read();
    machine.freeze();
    process.after(10, say('woken'));
    kernel.runUntil(1_000);
    expect(machine.read() - start).toBeGreaterThan(900);
    machine.thaw();
    kernel.runUntil(1_010);
    expect(got).toEqual(['woken']);

    const beforePause = machine.read();
    machine.pause();
    kernel.runUntil(5_000);
    expect(machine.read()).toBe(beforePause);
    expect(machine.pauses.trueMsSince(0)).toBeCloseTo(3_990);
    machine.resume();
    kernel.runUntil(6_000);
    expect(machine.read() - beforePause).toBeLessThan(1_100);
  });

  it('has no process left after a crash, and another clock after a boot', () => {
    const { machine, process } = makeMachine();
    machine.crash();
    expect(process.isAlive).toBe(false);
    expect(machine.isRunning).toBe(false);
    machine.boot();
    expect(machine.isRunning).toBe(true);
    expect(machine.boots).toBe(2);
  });
});
