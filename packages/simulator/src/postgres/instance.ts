import type { Upstream } from '@matriarch/core';
import type { SimProcess } from '../kernel/sim-process.ts';
import type { DataDirectory } from './data-directory.ts';
import type { WaitingCommit } from './sync-rep.ts';
import type { WalReceiver } from './wal-receiver.ts';
import type { WalSender } from './wal-sender.ts';

export type InstanceMode = 'primary' | 'standby' | 'private';

export type InstancePhase = 'starting' | 'up' | 'stopping';

/**
 * One run of a PostgreSQL server: its postmaster and everything that works for it. The postmaster
 * may die before the others do.
 */
export class Instance {
  readonly pid: number;
  readonly startedAs: InstanceMode;
  readonly data: DataDirectory;
  /** All processes but the postmaster. */
  readonly process: SimProcess;
  readonly startedAt: number;
  phase: InstancePhase = 'starting';
  postmaster: 'alive' | 'frozen' | 'dead' = 'alive';
  inRecovery: boolean;
  /** A standby has read all WAL on its disk: from then on it knows how much it holds. */
  consumed = false;
  /** WAL has been streamed since this start. */
  hasReceived = false;
  /** Client sessions are left, also without a postmaster. */
  backends = false;
  /** Killed, but a process hangs in the kernel: not gone, and it does nothing any more. */
  isStuck = false;
  isPromoting = false;
  /** Stopping, and all it had to write is written: it only waits for its standbys. */
  isSettled = false;
  upstream: Upstream | undefined;
  receiver: WalReceiver | undefined;
  senders: WalSender[] = [];
  /** Names that commits wait for, as the postmaster has read them. */
  syncNames = '';
  /** The checkpointer has told backends to wait for standbys. */
  isArmed = false;
  /** What the checkpointer was signalled to read and has not read yet. */
  checkpointerPending: string | undefined;
  /** Commits that are on the disk and not acknowledged. */
  waiting: WaitingCommit[] = [];
  /** What waits for a stopped postmaster to go on. */
  #postponed: (() => void)[] = [];

  constructor(options: {
    pid: number;
    startedAs: InstanceMode;
    data: DataDirectory;
    process: SimProcess;
    startedAt: number;
  }) {
    this.pid = options.pid;
    this.startedAs = options.startedAs;
    this.data = options.data;
    this.process = options.process;
    this.startedAt = options.startedAt;
    this.inRecovery = options.data.standbySignal;
    this.upstream = options.data.upstream;
  }

  get isGone(): boolean {
    return !this.process.isAlive;
  }

  /** New sessions are let in. */
  get acceptsConnections(): boolean {
    return this.phase === 'up' && this.postmaster === 'alive' && this.process.isRunning;
  }

  /** Sessions that exist can commit. */
  get acceptsWrites(): boolean {
    return (
      this.backends &&
      !this.inRecovery &&
      !this.isStuck &&
      this.startedAs !== 'private' &&
      this.process.isRunning
    );
  }

  /** Runs what the postmaster itself has to do: now, or when it is no longer stopped. */
  whenPostmasterRuns(run: () => void): void {
    if (this.postmaster === 'alive') run();
    else if (this.postmaster === 'frozen') this.#postponed.push(run);
  }

  freezePostmaster(): void {
    if (this.postmaster === 'alive') this.postmaster = 'frozen';
  }

  thawPostmaster(): void {
    if (this.postmaster !== 'frozen') return;
    this.postmaster = 'alive';
    const postponed = this.#postponed;
    this.#postponed = [];
    for (const run of postponed) if (!this.isGone) run();
  }
}
