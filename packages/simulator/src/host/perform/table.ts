import type { ActionKind } from '@matriarch/core';
import * as commit from './commit-performers.ts';
import * as disk from './disk-performers.ts';
import * as job from './job-performers.ts';
import * as look from './look-performers.ts';
import * as peer from './peer-performers.ts';
import type { Performer } from './performer.ts';
import * as server from './server-performers.ts';
import * as store from './store-performers.ts';

/** One performer for each kind of action: a kind without one does not compile. */
export const performers: { readonly [K in ActionKind]: Performer<K> } = {
  'grant-lease': store.grantLease,
  'keep-alive': store.keepAlive,
  'read-store': store.readStore,
  transact: store.transact,
  'extend-deadline': server.extendDeadline,
  'suspend-deadline': server.suspendDeadline,
  fence: server.fence,
  'start-server': server.startServer,
  'stop-server': server.stopServer,
  'reload-server': server.reloadServer,
  promote: server.promote,
  'inspect-disk': disk.inspectDisk,
  'measure-wal-end': disk.measureWalEnd,
  'prepare-server': disk.prepareServer,
  'place-history': disk.placeHistory,
  initialise: job.initialise,
  'create-users': job.createUsers,
  clone: job.clone,
  'keep-fork': disk.keepFork,
  rewind: job.rewind,
  'fetch-wal': job.fetchWal,
  'install-data': disk.installData,
  'discard-aside': disk.discardAside,
  'discard-unfinished': disk.discardUnfinished,
  'probe-server': look.probeServer,
  'ask-peers': peer.askPeers,
  'ask-promises': peer.askPromises,
  'keep-promise': peer.keepPromise,
  'inspect-upstream': look.inspectUpstream,
  'show-sync-names': look.showSyncNames,
  'show-waiting': look.showWaiting,
  'count-cancelled': commit.countCancelled,
  'ask-held': peer.askHeld,
  'count-exposed': commit.countExposed,
  checkpoint: server.checkpoint,
  'change-slots': server.changeSlots,
  'manage-waiting': server.manageWaiting,
  exit: server.exit,
};
