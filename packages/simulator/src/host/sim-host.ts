import {
  type Action,
  type Dispatch,
  type MemberTags,
  type Self,
  defaultTags,
  memberName,
} from '@matriarch/core';
import type { Machine } from '../kernel/machine.ts';
import { DataDirectory } from '../postgres/data-directory.ts';
import type { DiskOccupant } from '../postgres/disk.ts';
import { SimPostgres } from '../postgres/sim-postgres.ts';
import type { PostgresWorld } from '../postgres/postgres-world.ts';
import type { World } from '../world/world.ts';
import { GuardProcess } from './guard-process.ts';
import { TroubleLog } from './trouble-log.ts';
import { StateLog } from '../kernel/state-log.ts';

/** The supervisor starts an agent that failed again after this time. */
const SUPERVISOR_WAIT_MS = 1_000;
/** Statuses after which it does not: done, wrong input, refused by a rule. */
const FINAL_STATUSES: readonly number[] = [0, 2, 3];

export const addressOf = (host: string): string => `${host}:5432`;

/** A fault that waits for its moment: between a decision and its being carried out. */
export interface Stall {
  readonly milliseconds: number;
  readonly before: (action: Action) => boolean;
  /** It hits once, whoever comes first of those it waits for. */
  isSpent: boolean;
}

export interface HostOptions {
  readonly tags?: Partial<MemberTags>;
  readonly mayBootstrap?: boolean;
  /** What lies where the data directory should be, and is not ours to touch. */
  readonly found?: 'files' | 'other-cluster' | undefined;
}

/** One member: machine, guard, loop, PostgreSQL, and the supervisor that starts the guard. */
export class SimHost {
  readonly name: string;
  readonly machine: Machine;
  readonly world: World;
  readonly postgres: SimPostgres;
  readonly tags: MemberTags;
  readonly watchLog: StateLog;
  readonly trouble: TroubleLog;
  readonly #mayBootstrap: boolean;
  guard: GuardProcess | undefined;
  /** Somebody wants the agent to run: an operator who stopped it does not, for a while. */
  #isWanted = true;
  /** The status with which the agent left for good; undefined: it is to run. */
  leftWith: number | undefined;
  #stall: Stall | undefined;
  #runs = 0;

  constructor(
    machine: Machine,
    parts: { world: World; postgresWorld: PostgresWorld; options: HostOptions },
  ) {
    this.name = machine.name;
    this.machine = machine;
    this.world = parts.world;
    this.tags = { ...defaultTags, ...parts.options.tags };
    this.#mayBootstrap = parts.options.mayBootstrap ?? true;
    this.postgres = new SimPostgres(machine, parts.postgresWorld);
    this.postgres.disk.occupant = occupantFor(parts.options.found);
    this.postgres.onExit = (exit) => {
      this.world.journal.note(this.name, 'server exited', () => JSON.stringify(exit));
      this.guard?.tell({ kind: 'server-exited', ...exit });
    };
    this.postgres.onChange = () => this.#hint();
    this.trouble = new TroubleLog(() => machine.kernel.now);
    this.watchLog = new StateLog(() => machine.kernel.now);
    machine.onChange = () => this.watchLog.record(this.isWatched);
  }

  /** Somebody who could fence this host's server is running. */
  get isWatched(): boolean {
    return this.guard?.process.isRunning === true || this.guard?.loop?.process.isRunning === true;
  }

  describeSelf(): Self {
    const address = addressOf(this.name);
    return {
      name: memberName(this.name),
      address,
      connUrl: `postgres://${address}/postgres`,
      apiUrl: `http://${this.name}:8008/patroni`,
      tags: this.tags,
      life: {
        host: `${this.name}, boot ${this.machine.boots}`,
        run: `run ${this.#runs}`,
      },
      bootstrapConfig: this.#mayBootstrap ? { ttl: this.world.policy.ttlMs / 1_000 } : undefined,
      mayTakeOverData: false,
    };
  }

  /** The supervisor starts the agent. */
  startAgent(): void {
    this.#isWanted = true;
    if (!this.machine.isUp || this.guard?.process.isAlive === true) return;
    this.leftWith = undefined;
    this.#runs += 1;
    this.world.journal.note(this.name, 'agent starts');
    this.guard = new GuardProcess(this);
    this.watchLog.record(this.isWatched);
  }

  /** SIGTERM to the agent. */
  terminate(): void {
    this.#isWanted = false;
    this.world.journal.note(this.name, 'SIGTERM');
    this.guard?.tell({ kind: 'signal', signal: 'SIGTERM' });
  }

  /** The guard has ended by itself. */
  guardExited(status: number): void {
    this.world.journal.note(this.name, 'agent ends', () => `status ${status}`);
    this.#endGuard();
    const isFinal = status === 0 ? !this.#isWanted : FINAL_STATUSES.includes(status);
    if (isFinal) this.leftWith = status;
    else this.#superviseAfterEnd();
  }

  /** SIGKILL of the guard. The kernel sends its children what they asked for. */
  killGuard(): void {
    this.#endGuard();
    this.#superviseAfterEnd();
  }

  crash(): void {
    this.#endGuard();
    this.machine.crash();
    this.postgres.machineCrashed();
  }

  boot(): void {
    this.machine.boot();
    if (this.leftWith === undefined) this.machine.kernel.after(500, () => this.startAgent());
  }

  /** The fault: the loop is stopped after its next decision, before it acts on it. */
  armStall(stall: Stall): void {
    this.#stall = stall;
  }

  stallBeforeActing(dispatches: readonly Dispatch[]): boolean {
    const stall = this.#stall;
    const loop = this.guard?.loop;
    if (stall === undefined || stall.isSpent || loop === undefined) return false;
    const awaited = dispatches.find(({ action }) => stall.before(action));
    if (awaited === undefined) return false;
    stall.isSpent = true;
    const { kind } = awaited.action;
    const ms = Math.round(stall.milliseconds);
    this.world.journal.note(this.name, `loop stopped before ${kind}`, () => `for ${ms} ms`);
    loop.process.stop();
    this.trouble.begin('host');
    this.machine.kernel.after(stall.milliseconds, () => {
      loop.process.continue();
      this.trouble.end('host');
    });
    return true;
  }

  #endGuard(): void {
    const { guard } = this;
    if (guard === undefined) return;
    this.guard = undefined;
    guard.process.kill();
    guard.loop?.process.kill();
    const { running } = this.postgres;
    if (running !== undefined && running.postmaster !== 'dead')
      this.postgres.signal(running.pid, 'SIGQUIT');
    this.watchLog.record(this.isWatched);
  }

  #superviseAfterEnd(): void {
    this.machine.kernel.after(SUPERVISOR_WAIT_MS, () => this.startAgent());
  }

  /** PostgreSQL's hint that something is worth a look; it may get lost. */
  #hint(): void {
    const { random, kernel } = this.machine;
    if (random.chance(HINT_LOSS_RATE)) return;
    kernel.after(random.between(1, 30), () => {
      const loop = this.guard?.loop;
      loop?.process.deliver(() => loop.take({ kind: 'server-changed' }));
    });
  }
}

const occupantFor = (found: HostOptions['found']): DiskOccupant => {
  if (found === 'files') return { kind: 'not-ours' };
  if (found === undefined) return { kind: 'empty' };
  return { kind: 'data', data: new DataDirectory(OTHER_CLUSTER) };
};

/** System identifier of a cluster that is none of ours. */
const OTHER_CLUSTER = '1234567890123456789';

const HINT_LOSS_RATE = 0.05;
