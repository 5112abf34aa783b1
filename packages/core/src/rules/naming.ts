/**
 * Rules for who may be elected while a primary goes on without the store (rule S9): only who is
 * named in `failsafe`, because those are asked for a promise. The document changes only while the
 * guard holds the server to its lease alone: promises of some are of no use against the others.
 */
import type { MemberName } from '../model/member.ts';
import type { Json, JsonObject, StoreSnapshot } from '../model/store.ts';
import type { Tenure } from '../state.ts';
import { namedInStore, restsOnLease } from '../view/failsafe.ts';
import { isElectorateUnsettled } from '../view/sync.ts';
import { type View, hasPassed } from '../view/view.ts';
import { settleElectorate } from './first-names.ts';
import type { Rule } from './rule.ts';
import { ours, transact, unchanged } from './transactions.ts';

interface Case {
  readonly tenure: Tenure;
  readonly store: StoreSnapshot;
}

/** We are the primary by our lease, and stay it. */
const openCase = (view: View): Case | undefined => {
  const { state, store, server } = view;
  const { tenure, vacating, leaving } = state;
  if (!view.holding || tenure === undefined || store === undefined) return undefined;
  if (server?.inRecovery !== false || vacating !== undefined || leaving !== undefined)
    return undefined;
  return restsOnLease(state) && !state.snapshotStale ? { tenure, store } : undefined;
};

/** A member whose key is gone is named for so many ttls more: the store may have lost all keys. */
const MISSED_TTLS = 2;

/** Whom to name, as Patroni writes it: the address of the API by the name. */
const membersByName = (view: View, { failsafe, members }: StoreSnapshot): JsonObject => {
  const { self, policy, failsafe: known } = view.state;
  const isMissed = (name: string): boolean => {
    const since = known.missingSince[name];
    return since === undefined || !hasPassed(view, since, MISSED_TTLS * policy.ttlMs);
  };
  const before = Object.entries(failsafe?.value ?? {}).filter(([name]) => isMissed(name));
  const addresses: Record<string, Json> = Object.fromEntries(before);
  for (const [name, { value }] of Object.entries(members)) addresses[name] = value.apiUrl;
  return { ...addresses, [self.name]: self.apiUrl };
};

const isSame = (a: JsonObject, b: JsonObject): boolean => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
};

/** The store names these and nobody else, and no other write of ours is under way. */
const isSettled = (
  { state: { failsafe } }: View,
  store: StoreSnapshot,
  wanted: JsonObject,
): boolean =>
  isSame(store.failsafe?.value ?? {}, wanted) &&
  namedInStore(store) !== undefined &&
  failsafe.named?.length === Object.keys(wanted).length;

export const nameMembersForFailsafe: Rule = {
  id: 'name-members-for-failsafe',
  when: 'failsafe mode is on, we are the primary, and the store does not name just who is there',
  does: 'writes the names of all members that are there, or were a moment ago',
  why: 'S9: who is named there can be elected, and is asked for a promise when the store is away',
  without: 'a member that nobody has asked is elected beside a primary that goes on',
  decide: (view) => {
    const { state } = view;
    const open = state.policy.failsafe ? openCase(view) : undefined;
    if (open === undefined) return undefined;
    const { tenure, store } = open;
    if (view.electorate !== undefined && isElectorateUnsettled(view))
      return settleElectorate(view, tenure);
    const wanted = membersByName(view, store);
    if (isSettled(view, store, wanted)) return undefined;
    const { named } = state.failsafe;
    const names = Object.keys(wanted) as MemberName[];
    // It may land although nobody hears of it: until that is known all of them count.
    const either = named === undefined ? undefined : [...new Set([...named, ...names])];
    return {
      because: `there are ${names.join(', ')}`,
      remember: { failsafe: { ...state.failsafe, named: either } },
      action: transact(
        'write-failsafe',
        [ours(tenure), unchanged(store, 'failsafe')],
        [{ key: 'failsafe', put: wanted }],
      ),
    };
  },
};

export const removeNamesForFailsafe: Rule = {
  id: 'remove-names-for-failsafe',
  when: 'failsafe mode is off, we are the primary, and the store still names members for it',
  does: 'removes the document',
  why: 'S9: as long as it is there nobody else can be elected',
  without: 'a member that joins after the mode was switched off can never take over',
  decide: (view) => {
    const { state } = view;
    const open = state.policy.failsafe ? undefined : openCase(view);
    if (open?.store.failsafe === undefined) return undefined;
    const { tenure, store } = open;
    return {
      because: 'failsafe mode is off',
      remember: { failsafe: { ...state.failsafe, named: undefined } },
      action: transact(
        'write-failsafe',
        [ours(tenure), unchanged(store, 'failsafe')],
        [{ key: 'failsafe', remove: true }],
      ),
    };
  },
};

export const namingRules: readonly Rule[] = [nameMembersForFailsafe, removeNamesForFailsafe];
