import type { Action, ActionKind, Lane } from './model/action.ts';

const LANES: Readonly<Record<Exclude<ActionKind, 'transact'>, Lane>> = {
  'grant-lease': 'lease',
  'keep-alive': 'lease',
  'read-store': 'read',
  'extend-deadline': 'guard',
  'suspend-deadline': 'guard',
  fence: 'server',
  'start-server': 'server',
  'stop-server': 'server',
  'reload-server': 'server',
  promote: 'server',
  'inspect-disk': 'disk',
  'measure-wal-end': 'server',
  'prepare-server': 'server',
  'place-history': 'server',
  initialise: 'server',
  'create-users': 'server',
  clone: 'server',
  'keep-fork': 'server',
  rewind: 'server',
  'fetch-wal': 'server',
  'install-data': 'server',
  'discard-aside': 'server',
  'discard-unfinished': 'server',
  'probe-server': 'probe',
  'ask-peers': 'peers',
  'ask-promises': 'promises',
  'keep-promise': 'word',
  'inspect-upstream': 'upstream',
  'show-sync-names': 'sql',
  'show-waiting': 'sql',
  'count-cancelled': 'commits',
  'ask-held': 'commits',
  'count-exposed': 'commits',
  checkpoint: 'sql',
  'change-slots': 'sql',
  'manage-waiting': 'sql',
  exit: 'server',
};

/** The lane an action is under way in. */
export const laneOf = (action: Action): Lane => {
  if (action.kind !== 'transact') return LANES[action.kind];
  switch (action.purpose) {
    case 'publish-member':
    case 'record-promotion':
    case 'clear-failover':
    case 'file-failover':
    case 'write-sync':
    case 'write-failsafe':
    case 'publish-journal':
      return 'publish';
    default:
      return 'lease';
  }
};

/**
 * Nothing in any lane. Named one by one: an object that gets its fields in the order in which lanes
 * happen to be used is another kind of object each time, and each look into it is slow.
 */
export const emptyLanes: Readonly<Record<Lane, undefined>> = {
  lease: undefined,
  publish: undefined,
  read: undefined,
  guard: undefined,
  server: undefined,
  probe: undefined,
  disk: undefined,
  peers: undefined,
  upstream: undefined,
  sql: undefined,
  commits: undefined,
  promises: undefined,
  word: undefined,
};
