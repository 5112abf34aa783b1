import type { HandoverDocument, StoreTransaction, StoreWrite } from '@matriarch/core';
import type { Plant } from './plant.ts';

const DONE = { pretend: { kind: 'done' } } as const;

const isWriteOf = (write: StoreWrite, key: string): boolean => 'key' in write && write.key === key;

const withoutTimelines = (transaction: StoreTransaction): StoreTransaction => ({
  ...transaction,
  writes: transaction.writes.filter((write) => !isWriteOf(write, 'timelines')),
});

/** Says of the end of WAL that it lies a little further on. */
const boast = (document: HandoverDocument): HandoverDocument => {
  const { end } = document;
  if (!end.known) return document;
  const lsn = (end.position.lsn + 120n) as typeof end.position.lsn;
  return { ...document, end: { known: true, position: { ...end.position, lsn } } };
};

const withBoast = (transaction: StoreTransaction): StoreTransaction => ({
  ...transaction,
  writes: transaction.writes.map((write) =>
    'key' in write && write.key === 'handover' && 'put' in write
      ? { ...write, put: boast(write.put) }
      : write,
  ),
});

/** Mistakes with the order of steps, and with what one of them has promised. */
export const orderPlants: readonly Plant[] = [
  {
    name: 'stop-is-taken-for-done',
    says: 'a primary that hands over is taken for stopped as soon as it is asked to stop',
    caughtBy: ['s4-old-one-silent-first'],
    profile: 'crashes',
    alterAction: (action, _host, rule) => {
      if (rule === 'kill-leftovers') return { pretend: { kind: 'done', silent: true } };
      return action.kind === 'stop-server' ? { pretend: { kind: 'done', mode: 'fast' } } : action;
    },
  },
  {
    name: 'handover-says-too-much',
    says: 'the end of WAL in a hand-over lies beyond the true one',
    caughtBy: ['s4-old-one-silent-first'],
    profile: 'crashes',
    alterAction: (action) =>
      action.kind === 'transact' && action.purpose === 'release'
        ? { ...action, transaction: withBoast(action.transaction) }
        : action,
  },
  {
    name: 'guard-gets-a-later-deadline',
    says: 'the guard is told of a deadline without the margin, and then some',
    caughtBy: ['s2-silent-before-the-lease-expires'],
    profile: 'pauses',
    from: 5,
    alterAction: (action) =>
      action.kind === 'extend-deadline'
        ? { ...action, deadline: (action.deadline + 8_000) as typeof action.deadline }
        : action,
  },
  {
    name: 'numbers-are-not-issued',
    says: 'a timeline number is taken without a word of it in the store',
    caughtBy: ['s5-a-timeline-number-once'],
    profile: 'crashes',
    alterAction: (action) =>
      action.kind === 'transact' && ['acquire', 'issue-timeline'].includes(action.purpose)
        ? { ...action, transaction: withoutTimelines(action.transaction) }
        : action,
  },
  {
    name: 'promotions-are-not-recorded',
    says: 'nobody says in the store where a timeline has left its parent',
    caughtBy: ['liveness-after-healing'],
    profile: 'crashes',
    alterAction: (action) =>
      action.kind === 'transact' && action.purpose === 'record-promotion'
        ? { ...action, transaction: withoutTimelines(action.transaction) }
        : action,
  },
  {
    name: 'old-data-is-kept-for-ever',
    says: 'a replaced data directory is never removed',
    caughtBy: ['liveness-after-healing'],
    profile: 'wal',
    from: 2,
    alterAction: (action) => (action.kind === 'discard-aside' ? DONE : action),
  },
  {
    name: 'rewind-does-nothing',
    says: 'a forked server is taken for rewound without having been',
    caughtBy: ['liveness-after-healing'],
    profile: 'network',
    from: 5,
    alterAction: (action) => (action.kind === 'rewind' ? DONE : action),
  },
  {
    name: 'last-words-are-not-read',
    says: 'a server that panicked is taken for one that crashed',
    caughtBy: ['s13-no-ping-pong'],
    profile: 'crashes',
    from: 6,
    alterResult: (kind, result) =>
      kind === 'inspect-disk' && result.kind === 'done' && 'disk' in result
        ? { ...result, disk: { ...result.disk, lastWords: undefined } }
        : result,
  },
];
