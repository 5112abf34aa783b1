/** What the rules that rejoin a member share: whom to follow, and what was seen of it. */
import { after } from '../model/instant.ts';
import type { Seen, Upstream, UpstreamFacts } from '../model/server.ts';
import { type View, hasPassed } from '../view/view.ts';
import type { Answer } from './rule.ts';

/** A reload that a standby's stream has not followed by then is repeated. */
export const OBEY_LIMIT_MS = 2_000;
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

/** The lease holder before its promotion: a member of ours whose standby runs. */
export const comingUpstream = ({ holder }: View): Upstream | undefined => {
  if (holder === undefined || holder.isMe || holder.document?.ours !== true) return undefined;
  const { state, role } = holder.document;
  return state === 'running' && role === 'replica' ? holder.upstream : undefined;
};

/** What was seen of `upstream` last, however old. */
const seenOf = ({ state }: View, upstream: Upstream): Seen<UpstreamFacts> | undefined =>
  state.upstream?.value.member === upstream.member ? state.upstream : undefined;

const whyForeign = (view: View, { systemIdentifier, member }: UpstreamFacts): string | undefined =>
  systemIdentifier === view.systemIdentifier
    ? undefined
    : `${member} has system identifier ${systemIdentifier}, not the cluster's`;

/** Why what was seen is of no use: it is no primary, or not of this cluster. */
const whyNoUpstream = (view: View, facts: UpstreamFacts): string | undefined =>
  whyForeign(view, facts) ?? (facts.inRecovery ? `${facts.member} is in recovery` : undefined);

/** What was seen of `upstream` a moment ago, as a server of this cluster, primary or standby. */
export const serverFactsOf = (view: View, upstream: Upstream): UpstreamFacts | undefined => {
  const seen = seenOf(view, upstream);
  if (seen === undefined || hasPassed(view, seen.at, FACTS_FRESH_MS)) return undefined;
  return whyForeign(view, seen.value) === undefined ? seen.value : undefined;
};

/** What was seen of `upstream` a moment ago, as a primary of this cluster. */
export const primaryFactsOf = (view: View, upstream: Upstream): UpstreamFacts | undefined => {
  const facts = serverFactsOf(view, upstream);
  return facts?.inRecovery === false ? facts : undefined;
};

/** Looks at it, or waits a moment when that was just done and brought nothing of use. */
export const inspect = (view: View, upstream: Upstream): Answer => {
  const seen = seenOf(view, upstream);
  const useless = seen === undefined ? undefined : whyNoUpstream(view, seen.value);
  if (seen !== undefined && useless !== undefined && !hasPassed(view, seen.at, LOOK_AGAIN_MS))
    return { because: useless, until: after(seen.at, LOOK_AGAIN_MS) };
  return {
    because: `looking at ${upstream.member}`,
    action: { kind: 'inspect-upstream', upstream },
  };
};

/** No member's affair but the holder's: whoever holds the lease is not a standby of anybody. */
export const mayRejoin = (view: View): boolean =>
  !view.holding && view.state.leaving === undefined && view.systemIdentifier !== undefined;
