/** Saying in the store what this member is and does. */
import { after } from '../model/instant.ts';
import { transact } from '../rules/transactions.ts';
import { assembleMemberDocument, differsBeyondWal, differsInWal } from '../view/documents.ts';
import { hasPassed, lookIntervalMs } from '../view/view.ts';
import type { Chore } from './chore.ts';

/** Progress of a clone is published this often. */
const JOB_INTERVAL_MS = 1_000;

export const publishMember: Chore = (view) => {
  const { state, store } = view;
  const { lease, self, publishedAt } = state;
  if (lease === undefined || store === undefined) return undefined;
  const document = assembleMemberDocument(view);
  const action = transact(
    'publish-member',
    [],
    [{ member: self.name, put: document, leaseId: lease.id }],
  );
  const due = { action, remember: { publishedAt: view.now } };
  const published = store.members[self.name];
  if (published === undefined || published.leaseId !== lease.id) return due;
  if (differsBeyondWal(published.value, document)) return due;
  if (!differsInWal(published.value, document)) return undefined;
  const intervalMs = state.job === undefined ? lookIntervalMs(state) : JOB_INTERVAL_MS;
  if (publishedAt !== undefined && !hasPassed(view, publishedAt, intervalMs))
    return { askAgainAt: after(publishedAt, intervalMs) };
  return due;
};
