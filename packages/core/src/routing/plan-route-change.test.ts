/*
 * Shows the steps from one decision to the next, in the order the load balancer gets them. A model
 * of the load balancer then plays random histories and must end where the last decision wants it.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MemberName, memberName } from '../model/member.ts';
import type { Revision } from '../model/store.ts';
import type { Routes } from './decide-routes.ts';
import { type RouteChange, planRouteChange } from './plan-route-change.ts';

const a = memberName('a');
const b = memberName('b');
const c = memberName('c');
const members = [a, b, c];

const routes = (
  write: { readonly to: MemberName; readonly term: number } | undefined,
  reads: readonly MemberName[],
  lost: readonly MemberName[] = [],
): Routes => ({
  write: write?.to,
  term: write?.term as Revision | undefined,
  reads,
  lost,
  because: '',
});

const told = ({ steps }: RouteChange): readonly string[] =>
  steps.map(({ kind, door, member }) => `${kind} ${door} ${member}`);

const healthy = routes({ to: a, term: 7 }, [b, c]);

describe('planRouteChange', () => {
  it('does nothing when nothing has changed', () => {
    expect(planRouteChange(members, healthy, routes({ to: a, term: 7 }, [b, c]))).toEqual({
      steps: [],
      reconnect: [],
    });
  });

  it('cuts the old primary off when the lease goes', () => {
    const change = planRouteChange(members, healthy, routes(undefined, [b, c]));
    expect(told(change)).toEqual(['lower write a', 'end-sessions write a']);
    expect(change.reconnect).toEqual(['write']);
  });

  it('opens the new primary, which takes no reads any more but keeps its readers', () => {
    const change = planRouteChange(
      members,
      routes(undefined, [b, c], [a]),
      routes({ to: b, term: 9 }, [c], [a]),
    );
    expect(told(change)).toEqual(['lower read b', 'raise write b']);
    expect(change.reconnect).toEqual(['read']);
  });

  it('silences the old primary before it opens the new one', () => {
    const change = planRouteChange(members, healthy, routes({ to: b, term: 9 }, [a, c]));
    expect(told(change)).toEqual([
      'lower write a',
      'end-sessions write a',
      'lower read b',
      'raise write b',
      'raise read a',
    ]);
    expect(change.reconnect).toEqual(['write', 'read']);
  });

  it('ends the sessions of the same member in a new lease term', () => {
    expect(told(planRouteChange(members, healthy, routes({ to: a, term: 8 }, [b, c])))).toEqual([
      'lower write a',
      'end-sessions write a',
      'raise write a',
    ]);
  });

  it('does not leave the readers of a lost member hanging', () => {
    expect(told(planRouteChange(members, healthy, routes({ to: a, term: 7 }, [c], [b])))).toEqual([
      'lower read b',
      'end-sessions read b',
    ]);
  });

  it('takes nothing for granted without an earlier decision', () => {
    const change = planRouteChange(members, undefined, routes({ to: b, term: 9 }, [c], [a]));
    expect(told(change)).toEqual([
      'lower write a',
      'end-sessions write a',
      'lower write c',
      'end-sessions write c',
      'lower read a',
      'lower read b',
      'end-sessions read a',
      'raise write b',
      'raise read c',
    ]);
    expect(change.reconnect).toEqual([]);
  });
});

describe('for every history of decisions', () => {
  const member = fc.constantFrom(a, b, c);
  const decision = fc
    .record({
      write: fc.option(fc.record({ to: member, term: fc.nat({ max: 3 }) }), { nil: undefined }),
      reads: fc.subarray(members),
    })
    .map(({ write, reads }) =>
      routes(
        write,
        reads.filter((name) => name !== write?.to),
      ),
    );

  it('one server at most takes writes after each step, and the doors end as decided', () => {
    const startingPoint = fc.record({ write: fc.subarray(members), read: fc.subarray(members) });
    fc.assert(
      fc.property(
        startingPoint,
        fc.array(decision, { minLength: 1, maxLength: 5 }),
        (start, all) => {
          const up = { write: new Set(start.write), read: new Set(start.read) };
          let from: Routes | undefined;
          for (const to of all) {
            for (const { kind, door, member: name } of planRouteChange(members, from, to).steps) {
              if (kind === 'lower') up[door].delete(name);
              if (kind === 'raise') up[door].add(name);
              if (kind === 'raise' && door === 'write') expect([...up.write]).toEqual([name]);
            }
            expect([...up.write]).toEqual(to.write === undefined ? [] : [to.write]);
            expect([...up.read].sort()).toEqual([...to.reads].sort());
            from = to;
          }
        },
      ),
    );
  });
});
