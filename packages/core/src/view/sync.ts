import type { SyncState } from '../replication/sync-state.ts';
import type { View } from './view.ts';

/** Every process of the server goes by what it was told. */
export const holdsNames = ({ shown, told, armed }: SyncState): boolean =>
  // Without names there is nothing to hold: a process that still waits for somebody does no harm.
  told === '' ||
  (armed && shown !== undefined && shown.names === told && shown.senders.length === 0);

/** Another electorate than the one we know may be the one of now, or be it in a moment. */
export const isElectorateUnsettled = ({ state, store }: Pick<View, 'state' | 'store'>): boolean => {
  const { unsettledSync, tenure } = state;
  if (unsettledSync === undefined || unsettledSync.term !== tenure?.term) return false;
  return unsettledSync.revision === (store?.sync?.modRevision ?? 0);
};
