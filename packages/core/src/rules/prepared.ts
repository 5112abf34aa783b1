/** What the files of a server are to say, and whether they do. */
import type { Instant } from '../model/instant.ts';
import type { Upstream } from '../model/server.ts';
import { firstSyncNames } from '../replication/choose-sync-names.ts';
import { isSafe, nobody } from '../replication/electorate.ts';
import { type SyncNames, renderSyncNames, standbySyncNames } from '../replication/sync-names.ts';
import { type MemberName, mayBeSynchronous } from '../model/member.ts';
import type { MemberDocument } from '../model/store.ts';
import type { View } from '../view/view.ts';
import type { Action, ActionOf } from '../model/action.ts';

/** Commits wait for standbys, or did and the store still says who has them (rule S6). */
export const isSynchronous = (view: View): boolean =>
  view.state.policy.synchronous.mode !== 'off' || view.electorate !== undefined;

interface SynchronousMember {
  readonly name: MemberName;
  readonly document: MemberDocument;
}

/** The other members that commits may wait for, with what they say of themselves. */
export const synchronousMembers = ({ otherMembers, store }: View): readonly SynchronousMember[] =>
  otherMembers.flatMap((name) => {
    const document = store?.members[name]?.value;
    return document !== undefined && mayBeSynchronous(document.tags) ? [{ name, document }] : [];
  });

export const synchronousNames = (view: View): readonly MemberName[] =>
  synchronousMembers(view).map(({ name }) => name);

/**
 * The names of a server that becomes primary now, or does so again. Whoever may be elected under
 * the store's document must be asked before anything is acknowledged.
 */
export const namesOfNewPrimary = (view: View): SyncNames => {
  const { policy } = view.state;
  const first = firstSyncNames(policy.synchronous, synchronousNames(view));
  const electorate = view.electorate ?? nobody;
  if (policy.synchronous.mode !== 'off' && isSafe(first, electorate)) return first;
  const { voters, quorum } = electorate;
  return { method: 'any', count: Math.max(0, voters.length - quorum), names: voters };
};

const syncNamesFor = (view: View, as: 'primary' | 'standby'): string | undefined => {
  if (!isSynchronous(view)) return undefined;
  const { wanted } = view.state.sync;
  if (as === 'primary') return renderSyncNames(wanted ?? namesOfNewPrimary(view));
  return renderSyncNames(view.holding && wanted !== undefined ? wanted : namesOfStandby(view));
};

/** What it would most likely need as a primary: a promotion then waits for no reload. */
const namesOfStandby = (view: View): SyncNames => {
  const names = firstSyncNames(view.state.policy.synchronous, synchronousNames(view));
  return names.names.length === 0 ? standbySyncNames : names;
};

type Prepare = ActionOf<'prepare-server'>;

export const prepareAs = (
  view: View,
  as: 'primary' | 'standby',
  upstream: Upstream | undefined,
): Prepare => ({ kind: 'prepare-server', as, upstream, syncNames: syncNamesFor(view, as) });

type StreamEnding =
  | { readonly action: Action; readonly toldAt?: undefined }
  | { readonly action?: undefined; readonly toldAt: Instant };

/** What is to be done until our standby has been told to receive from nobody, or when it was. */
export const endStream = (view: View): StreamEnding => {
  if (!isPreparedAs(view, 'standby', undefined))
    return { action: prepareAs(view, 'standby', undefined) };
  const { told } = view.state;
  return told === undefined || told.value !== undefined
    ? { action: { kind: 'reload-server' } }
    : { toldAt: told.at };
};

/** The files are written for this, with the configuration of now. */
export const isPreparedAs = (
  view: View,
  as: 'primary' | 'standby',
  upstream: Upstream | undefined,
): boolean => {
  const { prepared, policy } = view.state;
  return (
    prepared?.as === as &&
    prepared.upstream === upstream?.address &&
    prepared.version === policy.serverConfigVersion &&
    prepared.syncNames === syncNamesFor(view, as)
  );
};
