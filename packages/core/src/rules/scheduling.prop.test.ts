/**
 * Shows that a wall clock which is set to and fro neither loses what was asked for at a time nor
 * begins it twice: it begins at the first look at which the clock shows that time, and never again.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { after } from '../model/instant.ts';
import { wallTime } from '../model/schedule.ts';
import { PlayedMember } from '../testing/played-member.ts';
import { NOW, wallTimeAt } from '../testing/scene/line.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';

const DUE_IN_MS = 20_000;

const SCENES = {
  restart: {
    rule: 'begin-scheduled-restart',
    lines: [
      'me alpha:',
      'store initialize:',
      'store leader bravo:',
      'store holder bravo:',
      'store member bravo: running, primary, at 0/5000000',
      'process: running, standby',
      'probe: standby, at 0/5000000, from bravo, streaming',
      `scheduled restart: for in ${DUE_IN_MS}ms`,
    ],
  },
  switchover: {
    rule: 'begin-scheduled-switchover',
    lines: [
      'me alpha:',
      'store initialize:',
      'store leader alpha:',
      'store holder alpha:',
      'store member bravo: running, replica, at 0/5000000',
      'lease held: deadline in 1h',
      'process: running, primary',
      'probe: primary, at 0/5000000',
      `store failover: from alpha, to bravo, for in ${DUE_IN_MS}ms`,
    ],
  },
} as const;

/** A look at the clocks, after so long, with the wall clock ahead of where it was by so much. */
const anyLook = fc.record({
  waitMs: fc.constantFrom(1, 10, 100, 1_000, 5_000, 15_000),
  aheadMs: fc.constantFrom(0, 0, 0, 1, -1, 19_990, -19_990, 3_600_000, -3_600_000),
});

it.each(Object.entries(SCENES))('a %s begins at the first look at its time', (_, scene) => {
  fc.assert(
    fc.property(fc.array(anyLook, { minLength: 1, maxLength: 30 }), (looks) => {
      const member = new PlayedMember(mustBuildMember(scene.lines.join('\n')));
      const due = wallTimeAt(after(NOW, DUE_IN_MS));
      const begun: number[] = [];
      let first = -1;
      for (const [index, { waitMs, aheadMs }] of looks.entries()) {
        const wallClock = wallTime(wallTimeAt(after(member.now, waitMs)) + aheadMs);
        member.tell({ kind: 'tick', wallClock }, waitMs);
        if (first < 0 && wallClock >= due) first = index;
        if (member.rules.includes(scene.rule)) begun.push(index);
      }
      expect(begun).toEqual(first < 0 ? [] : [first]);
    }),
    { numRuns: 300 },
  );
});
