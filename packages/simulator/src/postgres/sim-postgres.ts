import type { Machine } from '../kernel/machine.ts';
import type { SimProcess } from '../kernel/sim-process.ts';
import { Disk } from './disk.ts';
import { Instance, type InstanceMode } from './instance.ts';
import type { PostgresWorld } from './postgres-world.ts';
import { beginPromotion } from './promotion.ts';
import { loadUpstream, startUp } from './start-up.ts';
import { shutDown, tryFinishStop } from './shut-down.ts';
import { readByCheckpointer, reloadNames } from './sync-rep.ts';
import type { WalSender } from './wal-sender.ts';
import { SEGMENT_BYTES, type WalRecord } from './wal.ts';

export interface Exit {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: string | null;
}

/** Bytes of PostgreSQL's own records, for example of a checkpoint. */
const OWN_RECORD_BYTES = 120;

/** PostgreSQL on one host: its disk, and its processes while there are any. */
export class SimPostgres {
  readonly host: string;
  readonly machine: Machine;
  readonly world: PostgresWorld;
  readonly disk = new Disk();
  #running: Instance | undefined;
  #isWritable = false;
  /** The server's log ends with these words. */
  lastWords: 'panic' | 'disk-full' | undefined;
  /** What its log says of commits whose wait was cancelled, and how much of that has been read. */
  readonly log = { cancelledWaits: 0, readWaits: 0 };
  /** Until then one of its processes hangs in the kernel and cannot be killed. */
  stuckUntil = 0;
  /** Where the parent of the postmaster hears of its end. */
  onExit: (exit: Exit) => void = () => undefined;
  /** Something worth a look happened. */
  onChange: () => void = () => undefined;

  constructor(machine: Machine, world: PostgresWorld) {
    this.host = machine.name;
    this.machine = machine;
    this.world = world;
  }

  /** The server whose processes exist, its postmaster or others. */
  get running(): Instance | undefined {
    return this.#running;
  }

  /** No process of it is left (rule S4). */
  get isSilent(): boolean {
    return this.#running === undefined;
  }

  get acceptsWrites(): boolean {
    return this.#running?.acceptsWrites === true;
  }

  /** Starts a postmaster; it may end at once. Undefined: there is nothing to start. */
  spawn(startedAs: InstanceMode): number | undefined {
    const { data } = this.disk;
    if (data === undefined) return undefined;
    const pid = this.machine.issuePid();
    this.lastWords = undefined;
    if (this.#running !== undefined || data.overwritten) {
      // Leftovers hold the shared memory, or the data is not usable: the postmaster gives up.
      this.world.kernel.after(20, () => this.onExit({ pid, code: 1, signal: null }));
      return pid;
    }
    this.#running = new Instance({
      pid,
      startedAs,
      data,
      process: this.machine.spawn('postgres'),
      startedAt: this.world.kernel.now,
    });
    startUp(this, this.#running);
    return pid;
  }

  signal(pid: number, signal: 'SIGINT' | 'SIGQUIT' | 'SIGHUP'): void {
    const instance = this.#running;
    if (instance === undefined || instance.pid !== pid) return;
    instance.whenPostmasterRuns(() => {
      if (signal === 'SIGHUP') {
        loadUpstream(this, instance);
        reloadNames(this, instance);
      } else if (signal === 'SIGINT') shutDown(this, instance);
      else this.#dieSoon(instance, { code: 1, signal: null });
    });
  }

  promote(pid: number): void {
    const instance = this.#running;
    if (instance === undefined || instance.pid !== pid) return;
    instance.whenPostmasterRuns(() => beginPromotion(this, instance));
  }

  /**
   * SIGSTOP of the postmaster, SIGKILL of its children, SIGKILL of it, all by the process `by`.
   * `finished` tells whether they were seen gone.
   */
  fence(by: SimProcess, finished: (silent: boolean) => void): void {
    const { random, kernel } = this.world;
    this.#running?.freezePostmaster();
    const takesMs = 5 + random.tail(10, 300);
    by.after(takesMs, () => {
      const isStuck = kernel.now < this.stuckUntil;
      if (this.#running !== undefined) {
        if (isStuck) this.#hang(this.#running);
        else this.die(this.#running, { code: null, signal: 'SIGKILL' });
      }
      finished(this.#running === undefined);
    });
  }

  /** The fault: somebody kills the postmaster alone. Sessions go on committing for a while. */
  killPostmaster(): void {
    const instance = this.#running;
    if (instance === undefined || instance.postmaster === 'dead') return;
    const { random, pace } = this.world;
    const outlives = instance.backends && !instance.inRecovery && instance.phase === 'up';
    instance.postmaster = 'dead';
    this.#reportExit(instance, { code: null, signal: 'SIGKILL' });
    instance.receiver?.close();
    this.closeStreams(instance);
    const remainsMs = outlives ? random.between(0, pace.orphansMs) : random.between(1, 10);
    instance.process.after(remainsMs, () => this.#vanish(instance));
  }

  /** The fault: the server ends by itself, all of it, with words in its log. */
  panic(words: 'panic' | 'disk-full'): void {
    if (this.#running === undefined || this.#running.postmaster === 'dead') return;
    this.lastWords = words;
    this.die(this.#running, { code: 1, signal: null });
  }

  /** All processes of the machine are gone at once. */
  machineCrashed(): void {
    const instance = this.#running;
    if (instance === undefined) return;
    // Nobody says goodbye: the other ends notice by their time limits.
    instance.process.kill();
    instance.receiver?.close();
    for (const sender of instance.senders) sender.isClosed = true;
    this.#running = undefined;
    this.reportWritable(false);
  }

  /** The postmaster and everything else ends now. */
  die(instance: Instance, exit: { code: number | null; signal: string | null }): void {
    if (this.#running !== instance) return;
    const postmasterWas = instance.postmaster;
    this.#vanish(instance);
    if (postmasterWas !== 'dead') this.#reportExit(instance, exit);
  }

  /** Writes a record of PostgreSQL's own, or with `write` one of a client. */
  append(instance: Instance, bytes = OWN_RECORD_BYTES, write?: number): WalRecord {
    const { data } = instance;
    const start = data.wal.end;
    const record: WalRecord = {
      id: this.world.nextRecordId(),
      timeline: data.lineage.timeline,
      start,
      end: start + bytes,
      write,
    };
    data.wal.append(record, this.world.kernel.now);
    const { systemIdentifier } = data;
    this.world.see({ kind: 'record-written', host: this.host, systemIdentifier, record });
    if (Math.floor(start / SEGMENT_BYTES) !== Math.floor(record.end / SEGMENT_BYTES))
      data.recycle(this.world.pace.retention);
    for (const sender of instance.senders) sender.push();
    return record;
  }

  /**
   * A client commits; it is told so at once, or when the standbys have it, or never. What is
   * returned cancels a wait for standbys, if there is one.
   */
  commit(write: number, bytes: number, onAcknowledged: () => void = () => undefined): () => void {
    const instance = this.#running;
    if (instance === undefined || !instance.acceptsWrites) return () => undefined;
    const synchronous = instance.isArmed;
    const record = this.append(instance, bytes, write);
    const acknowledge = (): void => {
      this.world.see({ kind: 'committed', host: this.host, record, synchronous });
      onAcknowledged();
    };
    if (synchronous) instance.waiting.push({ record, acknowledge });
    else acknowledge();
    return () => this.#cancelWait(instance, record);
  }

  /** The commit is on this server and stays there; its client was told that this may be all. */
  #cancelWait(instance: Instance, cancelled: WalRecord): void {
    if (this.#running !== instance || !instance.acceptsWrites) return;
    const waiting = instance.waiting.filter(({ record }) => record !== cancelled);
    if (waiting.length === instance.waiting.length) return;
    instance.waiting = waiting;
    this.log.cancelledWaits += 1;
  }

  checkpoint(instance: Instance): void {
    if (instance.isGone) return;
    readByCheckpointer(this, instance);
    if (instance.inRecovery) return;
    this.append(instance);
    instance.data.checkpointTimeline = instance.data.lineage.timeline;
    instance.data.recycle(this.world.pace.retention);
  }

  addSender(instance: Instance, sender: WalSender): void {
    instance.senders.push(sender);
    this.onChange();
  }

  removeSender(instance: Instance, sender: WalSender): void {
    if (sender.isClosed) return;
    sender.isClosed = true;
    instance.senders = instance.senders.filter((candidate) => candidate !== sender);
    this.onChange();
    tryFinishStop(this, instance);
  }

  /** A standby has acknowledged more. */
  streamMoved(instance: Instance): void {
    tryFinishStop(this, instance);
  }

  /** Ends every stream this server feeds, and says so to the other ends. */
  closeStreams(instance: Instance): void {
    const { senders } = instance;
    instance.senders = [];
    for (const sender of senders) {
      sender.isClosed = true;
      const { receiver, standbyHost } = sender.options;
      this.world.network.send({ from: this.host, to: standbyHost }, () =>
        receiver.instance.process.deliver(() => receiver.peerClosed(sender)),
      );
    }
  }

  /** Tells when clients may begin to write here, and when they no longer can. */
  reportWritable(is: boolean): void {
    if (is === this.#isWritable || (is && this.#running?.startedAs === 'private')) return;
    this.#isWritable = is;
    this.world.see({ kind: 'writable', host: this.host, is });
  }

  #dieSoon(instance: Instance, exit: { code: number | null; signal: string | null }): void {
    const takesMs = this.world.random.between(3, 25);
    instance.process.after(takesMs, () => this.die(instance, exit));
  }

  #hang(instance: Instance): void {
    instance.isStuck = true;
    instance.backends = false;
    instance.receiver?.close();
    this.closeStreams(instance);
    this.reportWritable(false);
    if (instance.postmaster !== 'dead') {
      instance.postmaster = 'dead';
      this.#reportExit(instance, { code: null, signal: 'SIGKILL' });
    }
    this.world.kernel.at(this.stuckUntil, () => this.#vanish(instance));
  }

  #vanish(instance: Instance): void {
    if (this.#running !== instance) return;
    instance.process.kill();
    instance.receiver?.close();
    this.closeStreams(instance);
    instance.backends = false;
    this.#running = undefined;
    this.reportWritable(false);
  }

  #reportExit({ pid }: Instance, exit: { code: number | null; signal: string | null }): void {
    this.world.kernel.after(this.world.random.between(0.5, 4), () => this.onExit({ pid, ...exit }));
  }
}
