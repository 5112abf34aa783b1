/** Rules for a member that was asked to stop (SIGTERM). */
import { after } from '../model/instant.ts';
import { hasPassed, ownPosition, peersSince } from '../view/view.ts';
import { findHeir } from '../election/candidates.ts';
import { beginVacating } from '../model/vacating.ts';
import { type Rule, event } from './rule.ts';

/** How long a leaving member tries to say goodbye to a store that does not answer. */
export const GOODBYE_LIMIT_MS = 3_000;

export const exitWhenLeavingAndSilent: Rule = {
  id: 'exit-when-leaving-and-silent',
  urgent: true,
  when: 'the member was asked to stop, PostgreSQL is silent and the lease is given up',
  does: 'ends the agent; work on a data directory that is under way ends with it',
  why: 'an agent that goes while its server runs leaves it without a guard',
  without: 'stopping the service hangs, or leaves PostgreSQL behind',
  decide: (view) => {
    const { leaving, tenure, self } = view.state;
    if (leaving === undefined || !view.silent) return undefined;
    const said = view.store?.members[self.name]?.value.state === 'stopped';
    const late = hasPassed(view, leaving.since, GOODBYE_LIMIT_MS);
    const released = tenure === undefined || (late && view.storeIsOut);
    if (!released || !(said || late))
      return late ? undefined : { askAgainAt: after(leaving.since, GOODBYE_LIMIT_MS) };
    return {
      because: 'asked to stop, and PostgreSQL is silent',
      action: { kind: 'exit', status: 0, reason: 'stopped' },
      event: event('member.stopped', 'info'),
    };
  },
};

export const stopStandbyWhenLeaving: Rule = {
  id: 'stop-standby-when-leaving',
  when: 'the member was asked to stop and its server runs without the lease',
  does: 'stops it',
  why: 'nothing has to be handed over',
  without: 'a standby stays behind without an agent',
  decide: (view) => {
    const { leaving, process, policy } = view.state;
    if (leaving === undefined || process.kind !== 'running') return undefined;
    // A primary that holds the lease hands it over first.
    if (view.holding && view.writable) return undefined;
    return {
      because: 'asked to stop',
      action: { kind: 'stop-server', mode: 'fast', limitMs: policy.stopTimeoutMs },
    };
  },
};

export const handOverWhenLeaving: Rule = {
  id: 'hand-over-when-leaving',
  when: 'the member was asked to stop while its server is the primary',
  does: 'looks for a standby that can take over, then begins an orderly stop',
  why: 'a planned stop should cost the applications a moment, not a lease',
  without: 'every service restart is a failover',
  decide: (view) => {
    const { leaving, vacating } = view.state;
    if (leaving === undefined || vacating !== undefined || !view.holding) return undefined;
    if (!view.writable) return undefined;
    const answers = peersSince(view, leaving.since);
    const members = view.otherMembers;
    if (answers === undefined && members.length > 0)
      return {
        because: 'looking for a standby to hand over to',
        action: { kind: 'ask-peers', members, limitMs: 500 },
      };
    const flushed = ownPosition(view);
    const heir =
      answers === undefined || flushed === undefined
        ? undefined
        : findHeir(answers, { ...flushed, lsn: 0n as typeof flushed.lsn });
    return {
      because: heir === undefined ? 'nobody can take over' : `${heir} can take over`,
      remember: { vacating: { ...beginVacating('shutdown', view.now), heir } },
    };
  },
};

export const leavingRules: readonly Rule[] = [exitWhenLeavingAndSilent, stopStandbyWhenLeaving];
