/** What the rules that rejoin a member share: whom to follow, and what was seen of it. */
import { after } from '../model/instant.ts';
import type { Upstream, UpstreamFacts } from '../model/server.ts';
import { type View, hasPassed } from '../view/view.ts';
import type { Answer } from './rule.ts';

/** A look at the upstream counts for this long. */
const FACTS_FRESH_MS = 2_000;
export const LOOK_AGAIN_MS = 100;

/** The lease holder as an upstream: another member that says it is a running primary. */
export const wantedUpstream = (view: View): Upstream | undefined => {
  const { holder } = view;
  if (holder === undefined || holder.isMe || holder.document?.state !== 'running') return undefined;
  return holder.document.role === 'primary' || holder.document.role === 'promoted'
    ? holder.upstream
    : undefined;
};

/** What was seen of `upstream` a moment ago, as a primary. */
export const factsOf = (view: View, upstream: Upstream): UpstreamFacts | undefined => {
  const seen = view.state.upstream;
  if (seen === undefined || seen.value.member !== upstream.member) return undefined;
  if (hasPassed(view, seen.at, FACTS_FRESH_MS) || seen.value.inRecovery) return undefined;
  return seen.value;
};

export const inspect = (view: View, upstream: Upstream): Answer => ({
  because: `looking at ${upstream.member}`,
  action: { kind: 'inspect-upstream', upstream },
  until: after(view.now, LOOK_AGAIN_MS),
});

/** No member's affair but the holder's: whoever holds the lease is not a standby of anybody. */
export const mayRejoin = (view: View): boolean =>
  !view.holding && view.state.leaving === undefined && view.systemIdentifier !== undefined;

/** The files are written for a standby of this upstream, with the configuration of now. */
export const isPreparedFor = (view: View, upstream: Upstream | undefined): boolean => {
  const { prepared, policy } = view.state;
  return (
    prepared?.as === 'standby' &&
    prepared.upstream === upstream?.address &&
    prepared.version === policy.serverConfigVersion
  );
};
