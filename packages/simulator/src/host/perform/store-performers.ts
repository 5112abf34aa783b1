import {
  type ActionKind,
  type Failure,
  LEASE_NOT_FOUND,
  type LeaseId,
  type Results,
  type Revision,
} from '@matriarch/core';
import { entryCompares, entryWrites } from '../../store/cluster-documents.ts';
import type { Performer, Performing, Result } from './performer.ts';

/** Time limit of one store operation in our own lease mode. */
const FAST_LEASE_LIMIT_MS = 500;

interface Call<K extends ActionKind> {
  readonly mutates: boolean;
  /** What the store does when the call has arrived. */
  readonly apply: () => Results[K] | Failure;
}

const isFailure = (value: object): value is Failure => 'cause' in value;

const callStore = <K extends ActionKind>(
  { loop, world }: Performing,
  { mutates, apply }: Call<K>,
  answer: (result: Result<K>) => void,
): void => {
  const { policy, store } = world;
  const limitMs = policy.fastLease ? FAST_LEASE_LIMIT_MS : policy.retryTimeoutMs;
  store.call<Results[K]>(
    { process: loop.process, limitMs },
    {
      mutates,
      apply: () => {
        const value = apply();
        return isFailure(value) ? value : { kind: 'done', value };
      },
    },
    (reply) => answer(reply.kind === 'done' ? { kind: 'done', ...reply.value } : reply),
  );
};

export const grantLease: Performer<'grant-lease'> = (performing, { ttlMs }, answer) => {
  const apply = (): Results['grant-lease'] => {
    const lease = performing.world.store.grantLease(ttlMs);
    return { leaseId: lease.leaseId as LeaseId, ttlMs: lease.ttlMs };
  };
  callStore<'grant-lease'>(performing, { mutates: true, apply }, answer);
};

export const keepAlive: Performer<'keep-alive'> = (performing, { leaseId }, answer) => {
  const { store } = performing.world;
  const apply = (): Results['keep-alive'] => store.keepAlive(leaseId);
  callStore<'keep-alive'>(performing, { mutates: true, apply }, answer);
};

export const readStore: Performer<'read-store'> = (performing, _action, answer) => {
  const { store } = performing.world;
  const apply = (): Results['read-store'] => ({ snapshot: store.snapshot() });
  callStore<'read-store'>(performing, { mutates: false, apply }, answer);
};

export const transact: Performer<'transact'> = (performing, action, answer) => {
  const { store, see, journal } = performing.world;
  const { name } = performing.host;
  const { transaction, purpose } = action;
  const apply = (): Results['transact'] | Failure => {
    const result = store.documents.transact(entryCompares(transaction), entryWrites(transaction));
    if (result.kind === 'lease-not-found') return { kind: 'failed', cause: LEASE_NOT_FOUND };
    const { applied } = result;
    if (applied) see({ kind: 'transacted', host: name, purpose, transaction });
    if (purpose !== 'confirm' && purpose !== 'publish-member')
      journal.note(name, applied ? 'transaction applied' : 'transaction refused', () => purpose);
    return { applied, revision: result.revision as Revision, snapshot: store.snapshot() };
  };
  callStore<'transact'>(performing, { mutates: true, apply }, answer);
};
