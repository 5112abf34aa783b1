/**
 * Rules for a standby that is offered the last WAL of a primary that crashed (rule S11).
 *
 *   offered ─▶ nothing is received any more ─▶ fetched into the spool ─▶ read by PostgreSQL
 *
 * PostgreSQL asks its `restore_command` before it looks at its own files, and replaces them. The
 * spool is filled only while nothing is received, only up to a position beyond our own, and emptied
 * whenever the server's files are prepared: what lies there is never shorter than what it takes the
 * place of.
 */
import type { WalOffer } from '../model/store.ts';
import { formatPosition } from '../model/wal-position.ts';
import { type View, ownPosition } from '../view/view.ts';
import { endStream } from './prepared.ts';
import { type Rule, event } from './rule.ts';

export const offerToUs = (view: View): WalOffer | undefined => {
  const offer = view.holder?.document?.offer;
  return offer?.to === view.state.self.name && !view.holding ? offer : undefined;
};

export const fetchOfferedWal: Rule = {
  id: 'fetch-offered-wal',
  when: 'the holder’s server crashed, and its agent offers us, a standby, the WAL that we lack',
  does: 'stops receiving, then fetches that WAL for PostgreSQL to read',
  why: 'S11: what was acknowledged and not yet sent lies on that disk; with it we can take over',
  without: 'a crash is a restart in place, or loses what no standby had received',
  decide: (view) => {
    const { state, server, holder } = view;
    const offer = offerToUs(view);
    if (offer === undefined || holder === undefined || state.leaving !== undefined)
      return undefined;
    const position = ownPosition(view);
    if (server?.inRecovery !== true || position === undefined) return undefined;
    if (position.timeline !== offer.end.timeline || position.lsn >= offer.end.lsn) return undefined;
    const because = `${holder.name} offers its WAL up to ${formatPosition(offer.end)}`;
    const { action, toldAt } = endStream(view);
    if (action !== undefined) return { because, action };
    const { probe } = state;
    if (probe === undefined || probe.at < toldAt)
      return { because: 'looking at what was received until now' };
    if (state.fetched !== undefined && state.fetched.lsn >= offer.end.lsn)
      return { because: 'PostgreSQL is reading it' };
    const apiUrl = holder.document?.apiUrl ?? '';
    return {
      because,
      action: {
        kind: 'fetch-wal',
        from: { member: holder.name, apiUrl },
        start: position,
        end: offer.end,
      },
      event: event('wal.fetching', 'info', {
        from: holder.name,
        bytes: Number(offer.end.lsn - position.lsn),
      }),
    };
  },
};

export const rescuingRules: readonly Rule[] = [fetchOfferedWal];
