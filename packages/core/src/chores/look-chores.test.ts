/*
 * Shows how often our own server is asked: seldom while all is well, often while applications wait for
 * the answer, and anew when an election needs a position from after the lease became free.
 */
import { describe, expect, it } from 'vitest';
import { after } from '../model/instant.ts';
import { NOW } from '../testing/scene/line.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';
import { assembleView } from '../view/view.ts';
import { inspectDisk, probeServer } from './look-chores.ts';

const view = (lines: string) =>
  assembleView(mustBuildMember(`me alpha:\nstore initialize:\n${lines}`));

/** Bravo has crashed and gives us its last WAL, which has been fetched. */
const OFFERED = [
  'store leader bravo:',
  'store holder bravo:',
  'store member bravo: crashed, demoted, offers WAL to alpha, offered end 0/1000100 on 1',
  'fetched: up to 0/1000100 on 1\n',
].join('\n');

describe('probeServer', () => {
  it.each([
    ['that answers', 'process: running, standby\nprobe: standby, at 0/1000000', 1_000],
    [
      'that answers, with a short loop_wait',
      'policy: loop wait 500ms\nprocess: running, standby\nprobe: standby, at 0/1000000',
      500,
    ],
    ['that starts', 'process: running, standby, since 2999ms ago\nprobe: starting', 20],
    ['that starts for long', 'process: running, standby, since 3s ago\nprobe: starting', 250],
    [
      'that is being promoted',
      'process: running, standby, promoted\nprobe: standby, at 0/1000000\npromotion: signalled',
      5,
    ],
    [
      'that reads rescued WAL',
      `${OFFERED}process: running, standby\nprobe: standby, at 0/1000000`,
      20,
    ],
    [
      'that has read it',
      `${OFFERED}process: running, standby\nprobe: standby, at 0/1000100`,
      1_000,
    ],
    [
      'that was given WAL which nobody offers any more',
      'fetched: up to 0/1000100 on 1\nprocess: running, standby\nprobe: standby, at 0/1000000',
      1_000,
    ],
  ])('asks a server %s in time', (_name, lines, intervalMs) => {
    const probe = /probe: [^\n]*/u.exec(lines)?.[0] ?? '';
    const asked = (agoMs: number) => view(lines.replace(probe, `${probe}, ${agoMs}ms ago`));
    expect(probeServer(asked(intervalMs - 1))).toEqual({ askAgainAt: after(NOW, 1) });
    expect(probeServer(asked(intervalMs))).toEqual({ action: { kind: 'probe-server' } });
  });

  it('asks at once a server that was never asked, and none that does not run', () => {
    expect(probeServer(view('process: running, standby'))).toHaveProperty('action');
    expect(probeServer(view('process: dead and silent'))).toBeUndefined();
  });

  it('asks again when the lease became free after the last answer was asked for', () => {
    const lines =
      'process: running, standby\nlease vacant: since 10ms ago\nprobe: standby, at 0/1000000';
    expect(probeServer(view(`${lines}, 11ms ago`))).toHaveProperty('action');
    expect(probeServer(view(`${lines}, 10ms ago`))).toHaveProperty('askAgainAt');
  });
});

describe('inspectDisk', () => {
  it.each([
    ['a silent server’s', 'process: dead and silent', true],
    ['one that was looked at', 'process: dead and silent\ndisk: of a standby', false],
    ['one in which processes may be left', 'process: dead', false],
    ['one that is being worked on', 'process: dead and silent\nunder way server: clone', false],
    ['a running server’s', 'process: running, standby', false],
  ])('looks at %s data directory or not', (_name, lines, looks) => {
    expect(inspectDisk(view(lines)) !== undefined).toBe(looks);
  });
});
