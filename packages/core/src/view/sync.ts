import type { SyncState } from '../replication/sync-state.ts';

/** Every process of the server goes by what it was told. */
export const holdsNames = ({ shown, told, armed }: SyncState): boolean =>
  // Without names there is nothing to hold: a process that still waits for somebody does no harm.
  told === '' ||
  (armed && shown !== undefined && shown.names === told && shown.senders.length === 0);
