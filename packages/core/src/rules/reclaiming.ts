import { type Rule, event } from './rule.ts';
import { reclaim } from './transactions.ts';

export const reclaimLeaseOfEarlierLife: Rule = {
  id: 'reclaim-lease-of-earlier-life',
  when: 'the leader key names us under a lease of an earlier run of this agent on this same host',
  does: 'hangs it on our own lease, once PostgreSQL is seen silent',
  why: 'the earlier run is gone and so is its server: nobody else can be holding this lease',
  without: 'a killed agent costs the cluster a whole ttl, although its host is fine',
  decide: (view) => {
    const { state, store, holder } = view;
    const { lease, self, tenure } = state;
    if (tenure !== undefined || lease === undefined || store === undefined) return undefined;
    if (holder?.isMe !== true || !view.silent || state.leaving !== undefined) return undefined;
    if (state.snapshotStale || store.leader?.leaseId === lease.id) return undefined;
    const record = store.holder;
    // The record is of this very term only if it was written together with the leader key.
    if (record?.modRevision !== store.leader?.modRevision) return undefined;
    if (record?.value.member !== self.name || record.value.life.host !== self.life.host)
      return undefined;
    // The same run with another lease: it expired and was granted anew. It is not ours any more.
    if (record.value.life.run === self.life.run) return undefined;
    return {
      because: `term ${store.leader?.modRevision ?? 0} is of run ${record.value.life.run}`,
      action: reclaim(view, store, lease),
      event: event('lease.reclaiming', 'info'),
    };
  },
};

export const renewDoubtfulTerm: Rule = {
  id: 'renew-doubtful-term',
  when: 'a release of ours had no answer, and the leader key is still there under our lease',
  does: 'writes the leader key anew, which begins a term of its own',
  why: 'S4: the release may lie in a frozen store member and land later, when its end is outdated',
  without: 'an heir is promoted on it while the old primary writes again',
  decide: (view) => {
    const { state, store, holder } = view;
    const { lease, tenure, doubtfulTerm } = state;
    if (tenure !== undefined || lease === undefined || store?.leader === undefined)
      return undefined;
    if (holder?.isMe !== true || store.leader.leaseId !== lease.id) return undefined;
    if ((store.leader.modRevision as number) !== doubtfulTerm || state.snapshotStale)
      return undefined;
    if (state.leaving !== undefined) return undefined;
    return {
      because: `term ${doubtfulTerm} may still be released`,
      action: reclaim(view, store, lease),
    };
  },
};
