import type { OnProgress, Postgres } from '../ports/postgres.ts';
import type { Performers } from './performers.ts';

/** How long a running server may take to answer a probe of the loop. */
const PROBE_LIMIT_MS = 1_500;

export type PostgresPerformers = Omit<
  Performers,
  | 'grant-lease'
  | 'keep-alive'
  | 'read-store'
  | 'transact'
  | 'extend-deadline'
  | 'suspend-deadline'
  | 'fence'
  | 'start-server'
  | 'stop-server'
  | 'reload-server'
  | 'promote'
  | 'ask-peers'
  | 'ask-held'
  | 'ask-promises'
  | 'keep-promise'
  | 'exit'
>;

export const createPostgresPerformers = (
  postgres: Postgres,
  onProgress: OnProgress,
): PostgresPerformers => ({
  'inspect-disk': () => postgres.inspectDisk(),
  'measure-wal-end': ({ from }) => postgres.measureWalEnd(from),
  'prepare-server': ({ as, upstream, syncNames }) =>
    postgres.prepareServer({ as, upstream, syncNames }),
  'place-history': ({ timelines }) => postgres.placeHistory(timelines),
  initialise: () => {
    onProgress({ kind: 'initialise' });
    return postgres.initialise();
  },
  'create-users': () => postgres.createUsers(),
  clone: ({ from }) => postgres.clone(from, onProgress),
  'keep-fork': ({ fork, end }) => postgres.keepFork({ fork, end }),
  rewind: ({ to }) => postgres.rewind(to, onProgress),
  'fetch-wal': ({ from, start, end }) => postgres.fetchWal({ from, start, end }),
  'install-data': () => postgres.installData(),
  'discard-aside': () => postgres.discardAside(),
  'discard-unfinished': () => postgres.discardUnfinished(),
  'probe-server': async () => ({ kind: 'done', probe: await postgres.probe(PROBE_LIMIT_MS) }),
  'inspect-upstream': ({ upstream }) => postgres.inspectUpstream(upstream),
  'show-sync-names': () => postgres.showSyncNames(),
  'show-waiting': ({ roles, databases }) => postgres.showWaiting({ roles, databases }),
  'count-cancelled': ({ pid }) => postgres.countCancelled(pid),
  'count-exposed': ({ range }) => postgres.countExposed(range),
  checkpoint: ({ limitMs }) => postgres.checkpoint(limitMs),
  'change-slots': ({ create, drop, advance }) => postgres.changeSlots({ create, drop, advance }),
  'manage-waiting': ({ set, reset }) => postgres.manageWaiting({ set, reset }),
});
