/** Telling in the store what happened here, for the day when this member cannot be asked. */
import { after, elapsedMs } from '../model/instant.ts';
import { addJournalRows } from '../model/journal.ts';
import { transact, unchanged } from '../rules/transactions.ts';
import { type View, hasPassed } from '../view/view.ts';
import type { Chore } from './chore.ts';

/**
 * Rows are collected for so long, so that a story costs a few writes and not one for each row. Who
 * finds that another member was faster tries again at once: one of them succeeds each time.
 */
export const JOURNAL_INTERVAL_MS = 1_000;
/** While something is decided the store has better things to do, but not for ever. */
export const JOURNAL_WAIT_MAX_MS = 10_000;

const isCalm = ({ state }: View): boolean =>
  state.vacating === undefined && state.promotion === undefined && state.vacantSince === undefined;

/** Whoever leaves has no later, except where it cannot leave: its server does not end. */
const journalWaitMs = (view: View): number => {
  if (view.state.leaving !== undefined && view.state.fenceFailures === 0) return 0;
  return isCalm(view) ? JOURNAL_INTERVAL_MS : JOURNAL_WAIT_MAX_MS;
};

export const publishJournal: Chore = (view) => {
  const { state, store } = view;
  const [oldest] = state.journal;
  if (oldest === undefined || store === undefined || view.storeIsOut) return undefined;
  const waitMs = journalWaitMs(view);
  const since = state.journalAt ?? oldest.clock;
  const from = elapsedMs(since, oldest.clock) > 0 ? oldest.clock : since;
  if (!hasPassed(view, from, waitMs)) return { askAgainAt: after(from, waitMs) };
  const document = addJournalRows(store.journal?.value, state.journal);
  return {
    action: transact(
      'publish-journal',
      [unchanged(store, 'journal')],
      [{ key: 'journal', put: document }],
    ),
  };
};
