import type { MemberName } from '../model/member.ts';
import type { MemberDocument, Revision, StoreSnapshot } from '../model/store.ts';
import { namedInStore } from '../view/failsafe.ts';

/** Where clients are to be sent, and why. */
export interface Routes {
  /** Takes writes. Undefined: nobody, new connections wait. */
  readonly write: MemberName | undefined;
  /** The lease term the reign began with that has the write route. Undefined without one. */
  readonly term: Revision | undefined;
  /** Take reads, in alphabetical order. */
  readonly reads: readonly MemberName[];
  /** Have no key in the store: their leases ran out, nobody knows whether they live. */
  readonly lost: readonly MemberName[];
  /** One sentence about the write route. */
  readonly because: string;
}

/** What a member says that runs a primary. Patroni 3.0 says `master`. */
const PRIMARY_ROLES: readonly string[] = ['primary', 'master'];
const REPLICA_ROLES: readonly string[] = ['replica'];
const RUNNING_STATES: readonly string[] = ['running', 'streaming'];
/**
 * States that may be a moment's blindness: an agent whose query was not answered in time says
 * `starting` of a healthy server. They open no route, and they close none.
 */
const UNDECIDED_STATES: readonly string[] = ['starting', 'restarting', 'unknown'];

type Verdict = 'yes' | 'no' | 'undecided';

const judge = (document: MemberDocument | undefined, roles: readonly string[]): Verdict => {
  if (document === undefined) return 'undecided';
  if (!roles.includes(document.role)) return 'no';
  if (RUNNING_STATES.includes(document.state)) return 'yes';
  return UNDECIDED_STATES.includes(document.state) ? 'undecided' : 'no';
};

const documentOf = (snapshot: StoreSnapshot, member: string): MemberDocument | undefined =>
  snapshot.members[member]?.value;

const describe = (document: MemberDocument | undefined): string =>
  document === undefined
    ? 'says nothing of itself'
    : `says it is ${document.role}, ${document.state}`;

type WriteRoute = Pick<Routes, 'write' | 'term' | 'because'>;

/**
 * A primary that goes on in a pause without its lease: nobody else takes writes meanwhile, so a
 * route that leads there stays.
 */
const goesOnInPause = (
  snapshot: StoreSnapshot,
  previous: Routes | undefined,
): WriteRoute | undefined => {
  const member = snapshot.suspension?.value.member;
  if (member === undefined || previous?.write !== member) return undefined;
  if (judge(documentOf(snapshot, member), PRIMARY_ROLES) === 'no') return undefined;
  const because = `the cluster is paused, and ${member} goes on without the lease`;
  return { write: member, term: previous.term, because };
};

/**
 * A primary that may be going on by promises while it does not reach the store (rule S9): nobody
 * but those who are named can be elected, and whoever is takes the route with the lease. Its own
 * checks tell the load balancer when it has ended before.
 */
const goesOnByPromises = (
  snapshot: StoreSnapshot,
  previous: Routes | undefined,
): WriteRoute | undefined => {
  const { holder, handover } = snapshot;
  const member = holder?.value.member;
  if (member === undefined || previous?.write !== member || handover !== undefined)
    return undefined;
  if (namedInStore(snapshot) === undefined) return undefined;
  if (judge(documentOf(snapshot, member), PRIMARY_ROLES) === 'no') return undefined;
  const because = `${member} may be going on by promises, and nobody has taken the lease since`;
  return { write: member, term: previous.term, because };
};

/**
 * The term the holder's reign began with. A leader key that was written anew under a server that
 * went on (its lease got another ttl) ends nobody's session.
 */
const reignOf = ({ leader, holder }: StoreSnapshot): Revision | undefined => {
  const isOfThisTerm = holder !== undefined && holder.modRevision === leader?.modRevision;
  const since = isOfThisTerm ? holder.value.since : undefined;
  return since === undefined ? leader?.modRevision : (since as number as Revision);
};

const decideWrite = (snapshot: StoreSnapshot, previous: Routes | undefined): WriteRoute => {
  const closed = (because: string): WriteRoute => ({ write: undefined, term: undefined, because });
  const lease = snapshot.leader;
  if (lease === undefined)
    return (
      goesOnInPause(snapshot, previous) ??
      goesOnByPromises(snapshot, previous) ??
      closed('nobody holds the lease')
    );
  const holder = lease.value;
  const term = reignOf(snapshot);
  const document = documentOf(snapshot, holder);
  const verdict = judge(document, PRIMARY_ROLES);
  const opened = previous?.write === holder && previous.term === term;
  if (verdict === 'yes') {
    return { write: holder, term, because: `${holder} holds the lease and is a running primary` };
  }
  if (verdict === 'undecided' && opened) {
    const said = describe(document);
    const because = `${holder} still holds the lease it got the writes with; it ${said}`;
    return { write: holder, term, because };
  }
  return closed(`${holder} holds the lease but ${describe(document)}`);
};

const decideReads = (
  snapshot: StoreSnapshot,
  previous: Routes | undefined,
): readonly MemberName[] =>
  (Object.keys(snapshot.members) as MemberName[])
    .filter((member) => {
      const document = documentOf(snapshot, member);
      if (document === undefined || document.tags.noloadbalance) return false;
      const verdict = judge(document, REPLICA_ROLES);
      return (
        verdict === 'yes' || (verdict === 'undecided' && previous?.reads.includes(member) === true)
      );
    })
    .sort();

/**
 * Writes go to the lease holder, and only when its own document says that it is out of recovery
 * (rule S4): a holder that is still being promoted would answer every write with an error. While
 * nobody holds the lease there is no write route.
 *
 * An open route is closed by evidence, never by silence: while the lease is the one it was opened
 * with, a document that is missing or undecided changes nothing. Closing ends every session.
 *
 * `members` are those there are routes to; what the store knows of others is left out of the
 * answer.
 */
export const decideRoutes = (input: {
  readonly snapshot: StoreSnapshot;
  readonly members: readonly MemberName[];
  /** What was decided last; undefined after a start. */
  readonly previous: Routes | undefined;
}): Routes => {
  const { snapshot, members, previous } = input;
  const decided = decideWrite(snapshot, previous);
  const write =
    decided.write === undefined || members.includes(decided.write)
      ? decided
      : {
          write: undefined,
          term: undefined,
          because: `${decided.write} holds the lease but is not among the members configured here`,
        };
  return {
    ...write,
    reads: decideReads(snapshot, previous).filter((member) => members.includes(member)),
    lost: members.filter((member) => snapshot.members[member] === undefined),
  };
};
