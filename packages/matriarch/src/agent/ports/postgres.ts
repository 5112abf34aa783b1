import type {
  ActionOf,
  Failure,
  JobProgress,
  LaunchSpec,
  Lsn,
  Results,
  ServerProbe,
  Upstream,
  WaitingPolicy,
  WalRange,
} from '@matriarch/core';

/** What a call answers: its result, or that it failed, or that nobody knows. It never rejects. */
export type Answered<K extends keyof Results> = Promise<
  ({ readonly kind: 'done' } & Results[K]) | Failure
>;

/** Told now and then how far a long piece of work has come. */
export type OnProgress = (progress: JobProgress) => void;

/** Our own PostgreSQL server and its data directory. Each method is one call with a time limit. */
export interface Postgres {
  probe(limitMs: number): Promise<ServerProbe>;
  inspectDisk(): Answered<'inspect-disk'>;
  measureWalEnd(from: Lsn | undefined): Answered<'measure-wal-end'>;
  prepareServer(preparation: {
    readonly as: 'primary' | 'standby' | 'private';
    readonly upstream: Upstream | undefined;
    readonly syncNames: string | undefined;
  }): Answered<'prepare-server'>;
  launchSpec(as: 'primary' | 'standby' | 'private'): Promise<LaunchSpec | Failure>;
  placeHistory(timelines: ActionOf<'place-history'>['timelines']): Answered<'place-history'>;
  initialise(): Answered<'initialise'>;
  createUsers(): Answered<'create-users'>;
  clone(from: Upstream, onProgress: OnProgress): Answered<'clone'>;
  keepFork(fork: Pick<ActionOf<'keep-fork'>, 'fork' | 'end'>): Answered<'keep-fork'>;
  rewind(to: Upstream, onProgress: OnProgress): Answered<'rewind'>;
  installData(): Answered<'install-data'>;
  discardAside(): Answered<'discard-aside'>;
  discardUnfinished(): Answered<'discard-unfinished'>;
  inspectUpstream(upstream: Upstream): Answered<'inspect-upstream'>;
  fetchWal(request: Omit<ActionOf<'fetch-wal'>, 'kind'>): Answered<'fetch-wal'>;
  showSyncNames(): Answered<'show-sync-names'>;
  showWaiting(names: WaitingPolicy): Answered<'show-waiting'>;
  countCancelled(pid: number): Answered<'count-cancelled'>;
  countExposed(range: WalRange): Answered<'count-exposed'>;
  checkpoint(limitMs: number): Answered<'checkpoint'>;
  changeSlots(change: {
    readonly create: readonly string[];
    readonly drop: readonly string[];
    readonly advance: Readonly<Record<string, Lsn>>;
  }): Answered<'change-slots'>;
  manageWaiting(change: Omit<ActionOf<'manage-waiting'>, 'kind'>): Answered<'manage-waiting'>;
  close(): void;
}
