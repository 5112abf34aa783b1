/*
 * Shows that no step of the planner opens a window of loss, by stopping after every one of them. A
 * make-believe primary acknowledges commits under every names that may still hold, by every set of
 * standbys that may do it; after each step every set that may elect is compared with all of them.
 * What a proof brings is drawn as unhelpful as it may be.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MemberName } from '../model/member.ts';
import {
  type Electorate,
  electorateFor,
  isSafe,
  isSameElectorate,
  nobody,
  votesNeeded,
} from './electorate.ts';
import { type SyncStep, planSyncStep } from './plan-sync-step.ts';
import { type SyncNames, noSyncNames, renderSyncNames } from './sync-names.ts';

const MEMBERS = ['b', 'c', 'd', 'e'] as MemberName[];
const STEPS_MAX = 6;

const subsetsOf = <T>(all: readonly T[], size: number): readonly (readonly T[])[] => {
  if (size === 0) return [[]];
  return all.flatMap((first, index) =>
    subsetsOf(all.slice(index + 1), size - 1).map((rest) => [first, ...rest]),
  );
};

/** Those that can elect the fewest: larger ones contain one of these. */
const electingSets = (electorate: Electorate): readonly (readonly MemberName[])[] =>
  electorate.voters.length === 0 ? [] : subsetsOf(electorate.voters, votesNeeded(electorate));

/** One target of the operator, or of standbys that come and go; how far the planner gets with it. */
interface Turn {
  readonly target: SyncNames;
  readonly steps: number;
  /** Which standbys catch up, as few as the proof asks for. */
  readonly drawn: number;
  /** The loop dies, and the next one does not know what the files said before. */
  readonly forgets: boolean;
}

const anyTarget: fc.Arbitrary<SyncNames> = fc
  .tuple(fc.subarray(MEMBERS), fc.integer({ min: 1, max: 3 }), fc.constantFrom('first', 'any'))
  .map(([names, count, method]) => {
    if (names.length === 0) return noSyncNames;
    // In priority mode all of the names must have it.
    return method === 'first'
      ? { method: 'first', names, count: names.length }
      : { method: 'any', names, count: Math.min(count, names.length) };
  });

const anyTurn: fc.Arbitrary<Turn> = fc.record({
  target: anyTarget,
  steps: fc.integer({ min: 0, max: STEPS_MAX }),
  drawn: fc.nat(20),
  forgets: fc.constantFrom(false, false, false, true),
});

class Primary {
  files: SyncNames = noSyncNames;
  known: SyncNames | undefined = noSyncNames;
  proven = false;
  electorate: Electorate = nobody;
  /** Names under which some process may still acknowledge. */
  active: SyncNames[] = [noSyncNames];
  /** Who holds each commit that was promised to a client, besides the primary. */
  promised: Set<MemberName>[] = [];

  commit(): void {
    // Without names nothing was promised: such a commit is the primary's alone.
    for (const { names, count } of this.active)
      if (names.length > 0)
        for (const holders of subsetsOf(names, count)) this.promised.push(new Set(holders));
  }

  carryOut(step: SyncStep, drawn: number): void {
    if (step.kind === 'set-names') {
      this.files = step.names;
      this.known = step.names;
      this.proven = false;
      this.active.push(step.names);
    } else if (step.kind === 'set-electorate') this.electorate = step.electorate;
    else if (step.kind === 'prove') this.prove(drawn);
  }

  prove(drawn: number): void {
    this.active = [this.files];
    this.proven = true;
    const sets = subsetsOf(this.files.names, this.files.count);
    const caughtUp = sets[drawn % sets.length] ?? [];
    for (const holders of this.promised) for (const name of caughtUp) holders.add(name);
  }

  /** A set that may elect and does not know of a commit; undefined: there is none. */
  findLoss(): string | undefined {
    for (const electing of electingSets(this.electorate))
      for (const holders of this.promised)
        if (!electing.some((name) => holders.has(name)))
          return `${electing.join(',')} elect, and only ${[...holders].join(',')} hold the commit`;
    return undefined;
  }
}

it('loses nothing, wherever it is stopped', () => {
  fc.assert(
    fc.property(fc.array(anyTurn, { maxLength: 8 }), (turns) => {
      const primary = new Primary();
      for (const { target, steps, drawn, forgets } of turns) {
        if (forgets) {
          primary.known = undefined;
          primary.proven = false;
        }
        for (let count = 0; count < steps; count += 1) {
          const { known: names, proven, electorate } = primary;
          const step = planSyncStep({ names, proven, electorate }, target);
          primary.commit();
          primary.carryOut(step, drawn);
          primary.commit();
          const told = `after ${JSON.stringify(step)} on the way to ${renderSyncNames(target)}`;
          expect(primary.findLoss(), told).toBeUndefined();
          if (step.kind === 'done') break;
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

it('is done after a few steps, with the names and the electorate that go with them', () => {
  fc.assert(
    fc.property(fc.array(anyTurn, { maxLength: 4 }), anyTarget, (turns, target) => {
      const primary = new Primary();
      for (const turn of [...turns, { target, steps: STEPS_MAX, drawn: 0, forgets: false }])
        for (let count = 0; count < turn.steps; count += 1) {
          const { known: names, proven, electorate } = primary;
          primary.carryOut(planSyncStep({ names, proven, electorate }, turn.target), turn.drawn);
        }
      expect(renderSyncNames(primary.files)).toBe(renderSyncNames(target));
      expect(isSameElectorate(primary.electorate, electorateFor(target))).toBe(true);
      expect(isSafe(primary.files, primary.electorate)).toBe(true);
    }),
  );
});

describe('in priority mode', () => {
  const first = (...names: string[]): SyncNames => ({
    method: 'first',
    count: names.length,
    names: names as MemberName[],
  });
  const electorate = (...voters: string[]): Electorate => ({
    voters: voters as MemberName[],
    quorum: 0,
  });

  it('a standby that joins is in PostgreSQL before it is in the store', () => {
    const now = { names: first('b'), proven: true, electorate: electorate('b') };
    expect(planSyncStep(now, first('b', 'c'))).toEqual({
      kind: 'set-names',
      names: first('b', 'c'),
    });
  });

  it('a standby that goes leaves the store before PostgreSQL', () => {
    const now = { names: first('b', 'c'), proven: true, electorate: electorate('b', 'c') };
    expect(planSyncStep(now, first('b'))).toEqual({
      kind: 'set-electorate',
      electorate: electorate('b'),
    });
  });

  it('never asks for more votes than one, as Patroni members read it', () => {
    const now = { names: first('b'), proven: true, electorate: electorate('b') };
    expect(planSyncStep(now, first('c'))).toEqual({ kind: 'set-electorate', electorate: nobody });
  });
});
