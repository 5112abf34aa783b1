/** Rules for a requested switchover or failover, on the holder. */
import { beginVacating } from '../model/vacating.ts';
import { findHeir, whyNotComplete } from '../election/candidates.ts';
import { after } from '../model/instant.ts';
import type { Lsn } from '../model/lsn.ts';
import type { MemberName } from '../model/member.ts';
import type { PeerAnswer } from '../model/peer.ts';
import type { WalPosition } from '../model/wal-position.ts';
import { isPaused } from '../view/pause.ts';
import { requestNow } from '../view/schedules.ts';
import { type View, hasPassed, ownPosition } from '../view/view.ts';
import { type Rule, event } from './rule.ts';
import { clearFailover } from './transactions.ts';

/** How old answers may be that a switchover is begun on. */
const ANSWERS_FRESH_MS = 500;
const ASK_LIMIT_MS = 1_000;
/** How far behind a candidate may be for a switchover to begin: it has to catch up in the stop. */
const CANDIDATE_LAG_BYTES = 16n * 1024n * 1024n;

/** Why the request cannot be carried out, whatever the members answer. */
const whyRefused = (view: View): string | undefined => {
  const request = view.store?.failover?.value;
  const { name } = view.state.self;
  if (request === undefined) return undefined;
  if (request.leader !== undefined && request.leader !== name)
    return `${request.leader} is not the lease holder`;
  if (request.member === name) return `${name} is the lease holder already`;
  if (request.member !== undefined && !view.otherMembers.includes(request.member))
    return `${request.member} is not a member`;
  if (view.otherMembers.length === 0) return 'there is no other member';
  if (request.member === undefined && isPaused(view))
    return 'the cluster is paused: only a named candidate takes over';
  return undefined;
};

const findCandidate = (
  view: View,
  answers: Readonly<Record<string, PeerAnswer>>,
  flushed: WalPosition,
): MemberName | string => {
  const named = view.store?.failover?.value.member;
  const lsn = (flushed.lsn > CANDIDATE_LAG_BYTES ? flushed.lsn - CANDIDATE_LAG_BYTES : 0n) as Lsn;
  const enough = { ...flushed, lsn };
  if (named === undefined) return findHeir(answers, enough) ?? '';
  return whyNotComplete(answers[named], enough) === undefined ? named : '';
};

export const beginSwitchover: Rule = {
  id: 'begin-switchover',
  when: 'we are the primary and a switchover or failover is requested',
  does: 'finds the candidate and begins, or refuses the request with the reason',
  why: 'the loop decides; whoever asks only files a request',
  without: 'operators promote by hand',
  decide: (view) => {
    const { store, state, now } = view;
    if (!view.holding || store === undefined || requestNow(store) === undefined) return undefined;
    if (state.vacating !== undefined || view.server?.inRecovery !== false) return undefined;
    const refused = whyRefused(view);
    if (refused !== undefined) return refuse(store, refused);
    const { peers } = state;
    if (peers === undefined || hasPassed(view, peers.at, ANSWERS_FRESH_MS))
      return {
        because: 'looking for a candidate',
        action: { kind: 'ask-peers', members: view.otherMembers, limitMs: ASK_LIMIT_MS },
        until: after(now, ASK_LIMIT_MS),
      };
    const flushed = ownPosition(view);
    const heir = flushed === undefined ? '' : findCandidate(view, peers.value, flushed);
    if (heir === '') return refuse(store, reasonsOf(view, peers.value));
    return {
      because: `${heir} can take over`,
      remember: {
        vacating: { ...beginVacating('switchover', now), heir: heir as MemberName },
      },
      event: event('switchover.begun', 'info', { to: heir }),
    };
  },
};

const reasonsOf = (view: View, answers: Readonly<Record<string, PeerAnswer>>): string => {
  const flushed = ownPosition(view);
  if (flushed === undefined) return 'the own position is not known';
  const named = view.store?.failover?.value.member;
  const names = named === undefined ? view.otherMembers : [named];
  return names
    .map((name) => `${name} ${whyNotComplete(answers[name], flushed) ?? 'is not ready'}`)
    .join(', ');
};

const refuse = (store: NonNullable<View['store']>, because: string) => ({
  because,
  action: clearFailover(store),
  event: event('switchover.refused', 'warn', { because }),
});
