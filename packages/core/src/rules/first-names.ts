/**
 * The names of a server that begins to write, and what must be known of the electorate first (rule
 * S6). A write of it that had no answer may be carried out late, by a store member that was frozen:
 * names that go with the electorate of now need not go with that one.
 */
import type { Tenure } from '../state.ts';
import { isElectorateUnsettled } from '../view/sync.ts';
import type { View } from '../view/view.ts';
import { nobody } from '../replication/electorate.ts';
import { namesOfNewPrimary } from './prepared.ts';
import type { Answer } from './rule.ts';
import { writeSync } from './transactions.ts';

/** Writes the electorate of now again: whatever is still under way finds another revision. */
export const settleElectorate = (view: View, tenure: Tenure): Answer => {
  const because = 'another electorate may still be written: the one of now is written again first';
  const { store, electorate, state } = view;
  if (store === undefined) return { because };
  const document = electorate ?? { leader: state.self.name, ...nobody };
  return { because, action: writeSync(store, tenure, document) };
};

export const decideFirstNames = (view: View, because: string): Answer => {
  const { sync, tenure } = view.state;
  if (isElectorateUnsettled(view) && tenure !== undefined) return settleElectorate(view, tenure);
  return { because, remember: { sync: { ...sync, wanted: namesOfNewPrimary(view) } } };
};
