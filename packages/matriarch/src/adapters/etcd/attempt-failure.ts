import { status } from '@grpc/grpc-js';

/** Why one attempt of one call brought no answer, and what that means for the next one. */
export interface AttemptFailure {
  /**
   * `none`: the store certainly did not carry the request out: it never left us, or it was refused
   * as a whole. `possible`: nobody knows.
   */
  readonly effect: 'none' | 'possible';
  /**
   * `elsewhere`: another member, or this one a little later, may answer. `reconnect`: the same, and
   * the connection is not to be trusted any more. `authenticate`: the token was not good.
   */
  readonly remedy: 'none' | 'elsewhere' | 'reconnect' | 'authenticate';
  readonly cause: string;
}

/** The cause with which a write on a lease that the store does not know is refused. */
export const LEASE_NOT_FOUND = 'lease-not-found';

/** A request that never left this process. */
export const describeUnsent = (endpoint: string, reason: string): AttemptFailure => ({
  effect: 'none',
  remedy: 'elsewhere',
  cause: `${endpoint} cannot be reached: ${reason}`,
});

/** A request that was sent and brought no answer in time. */
export const describeSilence = (endpoint: string, limitMs: number): AttemptFailure => ({
  effect: 'possible',
  remedy: 'reconnect',
  cause: `${endpoint} did not answer within ${Math.round(limitMs)} ms`,
});

/** A request that was under way when the client was closed. */
export const describeClosing = (endpoint: string): AttemptFailure => ({
  effect: 'possible',
  remedy: 'none',
  cause: `the connection to ${endpoint} was closed from our side`,
});

/** What gRPC or the server reports of a request that may have been sent. */
export interface CallError {
  readonly code: status;
  readonly details: string;
}

/** etcd puts this before every message of its own. What lacks it may be gRPC's or a proxy's. */
const SERVER_PREFIX = 'etcdserver: ';

/** Refused before anything was proposed, by a member that may be better off soon. */
const NOT_NOW: ReadonlySet<string> = new Set([
  'etcdserver: no leader',
  'etcdserver: not capable',
  'etcdserver: too many requests',
  'etcdserver: rpc not supported for learner',
]);

const NEEDS_TOKEN: ReadonlySet<string> = new Set([
  'etcdserver: invalid auth token',
  'etcdserver: user name is empty',
  'etcdserver: revision of auth store is old',
]);

/** Codes with which etcd itself says no: the request was judged and not carried out. */
const VERDICTS: ReadonlySet<status> = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.PERMISSION_DENIED,
  status.RESOURCE_EXHAUSTED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
]);

/**
 * Judges an error of a call that may have been sent. Only what is known to mean "not carried out"
 * has the effect `none`. "etcdserver: request timed out" does not: the proposal may still be
 * applied. Nor does a too large answer, which gRPC itself reports with the code of a refusal, after
 * the store has acted.
 */
export const judgeCallError = (endpoint: string, { code, details }: CallError): AttemptFailure => {
  const cause = `${endpoint} answered: ${details} (gRPC code ${code})`;
  if (code === status.UNAUTHENTICATED || NEEDS_TOKEN.has(details)) {
    return { effect: 'none', remedy: 'authenticate', cause };
  }
  if (NOT_NOW.has(details)) return { effect: 'none', remedy: 'elsewhere', cause };
  if (code === status.NOT_FOUND && details === 'etcdserver: requested lease not found') {
    return { effect: 'none', remedy: 'none', cause: LEASE_NOT_FOUND };
  }
  if (VERDICTS.has(code) && details.startsWith(SERVER_PREFIX)) {
    return { effect: 'none', remedy: 'none', cause };
  }
  if (code === status.UNIMPLEMENTED) {
    return { effect: 'possible', remedy: 'elsewhere', cause: `${cause}; is it etcd 3.4 or later?` };
  }
  return { effect: 'possible', remedy: 'elsewhere', cause };
};
