import type { Action, ActionKind, Failure } from '../../model/action.ts';
import type { Instant } from '../../model/instant.ts';
import { type Lsn, lsn } from '../../model/lsn.ts';
import type {
  DiskFacts,
  ServerAnswer,
  ServerExit,
  ServerProcess,
  StartMode,
} from '../../model/server.ts';
import type { LeaseId } from '../../model/store.ts';
import { type Lineage, type Timeline, firstLineage } from '../../model/timeline.ts';
import { knownPosition } from '../../model/wal-position.ts';
import type { Agenda } from './agenda.ts';

export const CLUSTER = '7001';

interface Server {
  readonly pid: number;
  readonly startedAs: StartMode;
  promoted: boolean;
  inRecovery: boolean;
  upstream: string | undefined;
}

/** The data directory: what is in it, and how it was left. */
interface Data {
  lineage: Lineage;
  end: Lsn;
  standbySignal: boolean;
  inProduction: boolean;
}

/** What the rest of the cluster has, for clones and streaming. */
export interface Elsewhere {
  readonly lineage: Lineage;
  readonly end: Lsn;
  /** Address of another member that is primary; undefined: there is none. */
  readonly primary: string | undefined;
}

const refused: Failure = { kind: 'failed', cause: 'refused' };

/**
 * A host with one PostgreSQL and its guard. The guard is beyond doubt here: it fences at its
 * deadline, starts no second server, and makes no primary without a deadline that lies ahead.
 */
export class MakeBelieveHost {
  server: Server | undefined;
  /** Backends that have outlived their postmaster. */
  leftovers = false;
  data: Data | undefined;
  #newData: Data | undefined;
  bootstrapUnfinished = false;
  rewindUnfinished = false;
  asideKept = false;
  deadline: Instant | undefined;
  /** The guard lets the server go on beyond the deadline. */
  suspended = false;
  leaseId: LeaseId | undefined;
  #nextPid = 100;
  #historyUpTo = 0;
  #preparedUpstream: string | undefined;
  readonly #agenda: Agenda;
  readonly #elsewhere: Elsewhere;

  constructor(agenda: Agenda, elsewhere: Elsewhere) {
    this.#agenda = agenda;
    this.#elsewhere = elsewhere;
  }

  /** Somebody may be getting writes acknowledged who can reach the server. */
  get acceptsWrites(): boolean {
    return (
      this.server !== undefined && !this.server.inRecovery && this.server.startedAs !== 'private'
    );
  }

  get isSilent(): boolean {
    return this.server === undefined && !this.leftovers;
  }

  get process(): ServerProcess {
    if (this.server === undefined) return { kind: 'none', silent: !this.leftovers };
    const { pid, startedAs, promoted } = this.server;
    return { kind: 'running', pid, startedAs, promoted };
  }

  /** Whether the guard must fence now. */
  get isOverdue(): boolean {
    if (this.suspended && this.server !== undefined) return false;
    return this.deadline !== undefined && this.#agenda.now >= this.deadline && !this.isSilent;
  }

  fence(): void {
    this.server = undefined;
    this.leftovers = false;
    this.suspended = false;
    this.deadline = undefined;
  }

  /** The postmaster dies; its backends do not. */
  crash(): ServerExit | undefined {
    const exit = this.#end(null);
    if (exit !== undefined) this.leftovers = true;
    return exit;
  }

  stop(): ServerExit | undefined {
    if (this.server !== undefined && !this.server.inRecovery && this.data !== undefined)
      this.data.inProduction = false;
    return this.#end(0);
  }

  #end(code: number | null): ServerExit | undefined {
    const { server } = this;
    if (server === undefined) return undefined;
    this.server = undefined;
    this.suspended = false;
    const { pid, startedAs, promoted } = server;
    return { pid, startedAs, promoted, code, signal: code === null ? 'SIGKILL' : null };
  }

  /** Commits, or WAL that was streamed to us. */
  write(bytes: number): void {
    const { server, data } = this;
    const elsewhere = this.#elsewhere;
    if (server === undefined || data === undefined) return;
    if (!server.inRecovery) data.end = lsn(data.end + BigInt(bytes));
    else if (this.#streams(server, data)) {
      data.lineage = elsewhere.lineage;
      if (elsewhere.end > data.end) data.end = elsewhere.end;
    }
  }

  #streams(server: Server, data: Data): boolean {
    const elsewhere = this.#elsewhere;
    if (elsewhere.primary === undefined || server.upstream !== elsewhere.primary) return false;
    if (data.lineage.timeline === elsewhere.lineage.timeline) return data.end <= elsewhere.end;
    const left = elsewhere.lineage.ancestors.find(
      ({ timeline }) => timeline === data.lineage.timeline,
    );
    return left !== undefined && data.end <= left.switchLsn;
  }

  readDisk(): DiskFacts {
    const { data, bootstrapUnfinished, rewindUnfinished, asideKept } = this;
    return {
      content:
        data === undefined
          ? { kind: 'empty' }
          : {
              kind: 'data',
              systemIdentifier: CLUSTER,
              control: data.inProduction ? 'in-production' : 'shut-down',
              lineage: data.lineage,
              standbySignal: data.standbySignal,
              end: undefined,
              rewindable: true,
            },
      bootstrapUnfinished,
      rewindUnfinished,
      asideKept,
      newReady: this.#newData !== undefined,
      lastWords: undefined,
    };
  }

  #ask(): ServerAnswer | undefined {
    const { server, data } = this;
    if (server === undefined || data === undefined) return undefined;
    const position = knownPosition({ timeline: data.lineage.timeline, lsn: data.end });
    return {
      kind: 'answers',
      systemIdentifier: CLUSTER,
      serverVersion: 150_008,
      inRecovery: server.inRecovery,
      lineage: data.lineage,
      position,
      receivedLsn: server.inRecovery ? data.end : undefined,
      replayedLsn: server.inRecovery ? data.end : undefined,
      replayedAt: undefined,
      replayPaused: false,
      receiving: false,
      streaming: server.inRecovery && this.#streams(server, data),
      upstream: server.upstream,
      standbys: [],
      slots: [],
      startedAt: '',
      pendingRestart: false,
    };
  }

  /** Does it, and tells the result; undefined: this is no affair of the host. */
  perform(action: Action): object | Failure | undefined {
    const performers: { readonly [K in ActionKind]?: () => object | Failure } = {
      'extend-deadline': () => this.#extend(action),
      'suspend-deadline': () => this.#suspend(action),
      fence: () => {
        this.fence();
        return { silent: true };
      },
      'start-server': () => this.#start(action),
      'reload-server': () => {
        if (this.server !== undefined) this.server.upstream = this.#preparedUpstream;
        return {};
      },
      promote: () => this.#promote(action),
      'inspect-disk': () => ({ disk: this.readDisk() }),
      'measure-wal-end': () => (this.data === undefined ? refused : { end: this.data.end }),
      'prepare-server': () => this.#prepare(action),
      'place-history': () => {
        if (action.kind === 'place-history')
          this.#historyUpTo = Math.max(this.#historyUpTo, ...action.timelines);
        return {};
      },
      initialise: () => {
        this.#newData = {
          lineage: firstLineage,
          end: lsn(0x1000000),
          standbySignal: false,
          inProduction: false,
        };
        this.bootstrapUnfinished = true;
        return { systemIdentifier: CLUSTER };
      },
      'create-users': () => (this.server === undefined ? refused : {}),
      clone: () => this.#copy(),
      rewind: () => this.#rewind(),
      'install-data': () => this.#install(),
      'keep-fork': () => ({ keptAt: 'aside' }),
      'discard-aside': () => {
        this.asideKept = false;
        return {};
      },
      'discard-unfinished': () => {
        this.data = undefined;
        this.#newData = undefined;
        this.bootstrapUnfinished = false;
        return {};
      },
      'probe-server': () => ({ probe: this.#ask() ?? { kind: 'no-answer', cause: 'refused' } }),
      checkpoint: () => ({}),
      'change-slots': () => ({}),
      'show-waiting': () => ({ settings: [] }),
      'manage-waiting': () => ({}),
      'count-cancelled': () => ({ cancelled: 0, terminated: 0, isBehind: false }),
      'count-exposed': () => ({ commits: 0, to: lsn(0n) }),
    };
    return performers[action.kind]?.();
  }

  #extend(action: Action): object {
    if (action.kind === 'extend-deadline' && action.deadline > this.#agenda.now) {
      const newer = this.leaseId !== action.leaseId || action.deadline > (this.deadline ?? 0);
      if (newer) this.deadline = action.deadline;
      this.leaseId = action.leaseId;
    }
    return { deadline: this.deadline };
  }

  #suspend(action: Action): object {
    if (action.kind === 'suspend-deadline') {
      const mayBegin = this.acceptsWrites && this.#hasDeadline() && this.leaseId === action.leaseId;
      if (!action.on) this.suspended = false;
      else if (mayBegin) this.suspended = true;
    }
    return { on: this.suspended };
  }

  #hasDeadline(): boolean {
    return this.deadline !== undefined && this.#agenda.now < this.deadline;
  }

  #start(action: Action): object | Failure {
    if (action.kind !== 'start-server' || !this.isSilent || this.data === undefined) return refused;
    const { as } = action;
    if (as === 'primary' && (!this.#hasDeadline() || this.data.standbySignal)) return refused;
    const inRecovery = as === 'standby';
    if (inRecovery !== this.data.standbySignal) throw new Error(`started as ${as} by mistake`);
    this.server = {
      pid: (this.#nextPid += 1),
      startedAs: as,
      promoted: false,
      inRecovery,
      upstream: this.#preparedUpstream,
    };
    if (!inRecovery) this.data.inProduction = true;
    return { pid: this.server.pid };
  }

  #promote(action: Action): object | Failure {
    const { server, data } = this;
    if (action.kind !== 'promote' || server === undefined || data === undefined) return refused;
    if (!this.#hasDeadline() || !server.inRecovery) return refused;
    const { timeline } = data.lineage;
    const ancestors = [...data.lineage.ancestors, { timeline, switchLsn: data.end }];
    const number = Math.max(timeline, this.#historyUpTo) + 1;
    data.lineage = { timeline: number as Timeline, ancestors };
    data.standbySignal = false;
    data.inProduction = true;
    server.promoted = true;
    server.inRecovery = false;
    server.upstream = undefined;
    return {};
  }

  #prepare(action: Action): object | Failure {
    if (action.kind !== 'prepare-server' || this.data === undefined) return refused;
    this.#preparedUpstream = action.upstream?.address;
    if (this.server === undefined) this.data.standbySignal = action.as === 'standby';
    if (action.as !== 'private') this.bootstrapUnfinished = false;
    this.#historyUpTo = 0;
    return {};
  }

  #copy(): object | Failure {
    const { lineage, end, primary } = this.#elsewhere;
    if (primary === undefined) return refused;
    this.#newData = { lineage, end, standbySignal: true, inProduction: false };
    this.asideKept = true;
    return {};
  }

  #rewind(): object | Failure {
    const { lineage, end, primary } = this.#elsewhere;
    if (primary === undefined || !this.isSilent) return refused;
    this.data = { lineage, end, standbySignal: true, inProduction: false };
    this.rewindUnfinished = false;
    return {};
  }

  #install(): object | Failure {
    if (this.#newData === undefined || !this.isSilent) return refused;
    this.asideKept = this.data !== undefined;
    this.data = this.#newData;
    this.#newData = undefined;
    this.rewindUnfinished = false;
    return {};
  }
}
