import type { Instant } from '@matriarch/core';
import type { Random } from '../random.ts';
import { HostClock } from './host-clock.ts';
import type { Kernel } from './kernel.ts';
import { SimProcess } from './sim-process.ts';
import { StateLog } from './state-log.ts';
import { WallClock } from './wall-clock.ts';

/** A boot clock may be wrong by this much, in parts of one; crystal clocks stay below. */
const DRIFT_MAX = 0.0003;

/** The hardware of a host, or its virtual machine: processes run on it and it has a clock. */
export class Machine {
  readonly name: string;
  readonly kernel: Kernel;
  readonly random: Random;
  clock: HostClock;
  readonly wallClock: WallClock;
  /** Counts the boots; part of the host's identity. */
  boots = 1;
  isUp = true;
  /** When the virtual machine was paused. */
  readonly pauses: StateLog;
  /** Called whenever a process of this machine, or all of them, may have stopped or gone on. */
  onChange: () => void = () => undefined;
  #frozen = 0;
  #paused = 0;
  #processes: SimProcess[] = [];
  #nextPid = 100;

  constructor(name: string, kernel: Kernel, random: Random) {
    this.name = name;
    this.kernel = kernel;
    this.random = random;
    this.clock = this.#bootClock();
    this.wallClock = new WallClock(() => kernel.now);
    this.pauses = new StateLog(() => kernel.now);
  }

  /** Processes get the processor: the machine is up, not frozen, not paused. */
  get isRunning(): boolean {
    return this.isUp && this.#frozen === 0 && this.#paused === 0;
  }

  get isPaused(): boolean {
    return this.#paused > 0;
  }

  read(): Instant {
    return this.clock.readAt(this.kernel.now);
  }

  spawn(name: string): SimProcess {
    const process = new SimProcess(name, this);
    this.#processes = this.#processes.filter((candidate) => candidate.isAlive);
    this.#processes.push(process);
    return process;
  }

  issuePid(): number {
    this.#nextPid += this.random.integer(1, 5);
    return this.#nextPid;
  }

  /** All processes are stopped (SIGSTOP, a host out of memory); the clock goes on. */
  freeze(): void {
    this.#frozen += 1;
    this.onChange();
  }

  thaw(): void {
    this.#frozen = Math.max(0, this.#frozen - 1);
    this.#wake();
  }

  /** The virtual machine is paused: processes and clock stand still, and none of them can tell. */
  pause(): void {
    if (this.#paused === 0) this.clock.pause(this.kernel.now);
    this.#paused += 1;
    this.pauses.record(true);
    this.onChange();
  }

  resume(): void {
    if (this.#paused === 0) return;
    this.#paused -= 1;
    if (this.#paused === 0) {
      this.clock.resume(this.kernel.now);
      this.pauses.record(false);
    }
    this.#wake();
  }

  crash(): void {
    this.isUp = false;
    for (const process of this.#processes) process.kill();
    this.#processes = [];
    this.onChange();
  }

  boot(): void {
    this.isUp = true;
    this.#frozen = 0;
    this.#paused = 0;
    this.pauses.record(false);
    this.boots += 1;
    this.clock = this.#bootClock();
    this.onChange();
  }

  #bootClock(): HostClock {
    return new HostClock({
      now: this.kernel.now,
      offsetMs: this.random.integer(1_000, 900_000),
      rate: 1 + this.random.between(-DRIFT_MAX, DRIFT_MAX),
    });
  }

  #wake(): void {
    this.onChange();
    if (!this.isRunning) return;
    for (const process of this.#processes) process.drainSoon();
  }
}
