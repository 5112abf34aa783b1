/** Seeing that the names commits wait for hold in all of PostgreSQL (rule S6). */
import type { Chore } from './chore.ts';

const CHECKPOINT_LIMIT_MS = 60 * 60_000;

export const showSyncNames: Chore = ({ server, state }) => {
  const { told, shown } = state.sync;
  if (server === undefined || told === undefined || told === '' || shown !== undefined)
    return undefined;
  return { action: { kind: 'show-sync-names' } };
};

/**
 * Names that are new to a running server: the checkpointer tells backends to wait, between two of
 * its tasks. A checkpoint that it begins after it was signalled shows that it has.
 */
export const armSyncNames: Chore = ({ server, state }) => {
  const { shown, armed, told } = state.sync;
  if (server === undefined || shown === undefined || armed) return undefined;
  // Where nobody is waited for there is nothing to wait with.
  if (told === undefined || told === '') return undefined;
  return { action: { kind: 'checkpoint', limitMs: CHECKPOINT_LIMIT_MS } };
};
