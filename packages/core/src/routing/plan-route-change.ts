import type { MemberName } from '../model/member.ts';
import type { Routes } from './decide-routes.ts';

/** The way in that a route belongs to. */
export type Door = 'write' | 'read';

/** One change at the load balancer. */
export interface RouteStep {
  /**
   * `lower` and `raise`: no, or new, connections. `end-sessions`: what is connected is cut off.
   */
  readonly kind: 'lower' | 'raise' | 'end-sessions';
  readonly door: Door;
  readonly member: MemberName;
}

export interface RouteChange {
  /** To be carried out in this order. */
  readonly steps: readonly RouteStep[];
  /** Doors behind which a pool should replace its connections, each as soon as it is free. */
  readonly reconnect: readonly Door[];
}

/** The write route, as far as it differs: whoever had it loses it first. */
const planWrite = (
  members: readonly MemberName[],
  from: Routes | undefined,
  to: Routes,
): readonly RouteStep[] => {
  // The same member in a new lease term was not primary in between: its sessions are of another
  // life.
  if (from !== undefined && from.write === to.write && from.term === to.term) return [];
  const leaving = members.filter((member) =>
    from === undefined ? member !== to.write : member === from.write,
  );
  return [
    ...leaving.flatMap((member): readonly RouteStep[] => [
      { kind: 'lower', door: 'write', member },
      { kind: 'end-sessions', door: 'write', member },
    ]),
    ...(to.write === undefined
      ? []
      : [{ kind: 'raise', door: 'write', member: to.write } as const]),
  ];
};

const planReads = (
  members: readonly MemberName[],
  from: Routes | undefined,
  to: Routes,
): readonly RouteStep[] => {
  const step =
    (kind: RouteStep['kind']) =>
    (member: MemberName): RouteStep => ({ kind, door: 'read', member });
  const leaving = members.filter(
    (member) => !to.reads.includes(member) && (from === undefined || from.reads.includes(member)),
  );
  const joining = to.reads.filter((member) => from?.reads.includes(member) !== true);
  return [
    ...leaving.map(step('lower')),
    // A promoted replica goes on answering its readers. A lost one leaves them hanging.
    ...leaving.filter((member) => to.lost.includes(member)).map(step('end-sessions')),
    ...joining.map(step('raise')),
  ];
};

/**
 * Pooled writes must leave the old primary; to the new one they connect anyway. Pooled reads must
 * leave who is no replica any more, and find their way to one that has joined.
 */
const doorsToReconnect = (
  write: readonly RouteStep[],
  reads: readonly RouteStep[],
): readonly Door[] => [
  ...(write.some(({ kind }) => kind === 'lower') ? (['write'] as const) : []),
  ...(reads.length > 0 ? (['read'] as const) : []),
];

/**
 * What to change from one decision to the next. Without `from` nothing is taken for granted: every
 * member is put where it belongs.
 *
 * The old primary is silent before the new one is heard: all lowering comes before all raising.
 */
export const planRouteChange = (
  members: readonly MemberName[],
  from: Routes | undefined,
  to: Routes,
): RouteChange => {
  const write = planWrite(members, from, to);
  const reads = planReads(members, from, to);
  const steps = [...write, ...reads];
  return {
    steps: [
      ...steps.filter(({ kind }) => kind !== 'raise'),
      ...steps.filter(({ kind }) => kind === 'raise'),
    ],
    reconnect: from === undefined ? [] : doorsToReconnect(write, reads),
  };
};
