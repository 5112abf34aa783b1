/*
 * Shows what a member says of itself: the words Patroni's tools know for its state and role, and the
 * answer to another member in an election.
 */
import { describe, expect, it } from 'vitest';
import { mustBuildMember } from '../testing/scene/must-build.ts';
import {
  assembleMemberDocument,
  assemblePeerAnswer,
  differsBeyondWal,
  differsInWal,
} from './documents.ts';
import { addressIn, assembleView } from './view.ts';

const HELD = 'store initialize:\nstore leader alpha:\nlease held: deadline in 20s\n';

const documentOf = (lines: string) =>
  assembleMemberDocument(assembleView(mustBuildMember(`me alpha:\n${lines}`)));

describe('assembleMemberDocument', () => {
  it.each([
    ['a primary', `${HELD}process: running, primary\nprobe: primary, at 0/1`, 'running', 'primary'],
    ['a standby', 'process: running, standby\nprobe: standby, at 0/1', 'running', 'replica'],
    ['a standby that starts', 'process: running, standby\nprobe: starting', 'starting', 'replica'],
    [
      'a primary that starts',
      `${HELD}process: running, primary\nprobe: starting`,
      'starting',
      'primary',
    ],
    [
      'one without the lease',
      'process: running, primary\nprobe: primary, at 0/1',
      'running',
      'demoted',
    ],
    [
      'one whose deadline has passed',
      `${HELD.replace('in 20s', 'now')}process: running, primary\nprobe: primary, at 0/1`,
      'running',
      'demoted',
    ],
    ['a crashed primary', `${HELD}process: dead and silent\nvacating: crash`, 'crashed', 'demoted'],
    ['a stopped standby', 'process: dead and silent\ndisk: of a standby', 'stopped', 'replica'],
    ['one without data', 'process: dead and silent\ndisk: empty', 'stopped', 'uninitialized'],
    [
      'one that is cloned',
      'process: dead and silent\ndisk: empty\nunder way server: clone',
      'creating replica',
      'uninitialized',
    ],
    [
      'one that does not start',
      'process: dead and silent\ndisk: of a standby\nrejoin: failed starts 1',
      'start failed',
      'replica',
    ],
    [
      'one that bootstraps',
      'process: dead and silent\nbootstrapping: installed',
      'initializing new cluster',
      'replica',
    ],
    [
      'one that stops',
      'loop: leaving since now\nprocess: running, standby\nprobe: standby, at 0/1',
      'stopping',
      'replica',
    ],
    [
      'one that has stopped',
      'loop: leaving since now\nprocess: dead and silent',
      'stopped',
      'replica',
    ],
  ])('%s', (_name, lines, ...[state, role]) => {
    expect(documentOf(lines)).toMatchObject({ state, role, ours: true });
  });

  it('says where a standby is, and that it streams', () => {
    const document = documentOf(
      'process: running, standby\nprobe: standby, at 0/5000000, replayed 0/4000000, timeline 2, left 1 at 0/1, streaming',
    );
    expect(document).toMatchObject({
      timeline: 2,
      xlogLocation: 0x5000000n,
      receiveLsn: 0x5000000n,
      replayLsn: 0x4000000n,
      replicationState: 'streaming',
    });
  });

  it('says of one that does not know its position how far it has replayed (S10)', () => {
    const document = documentOf(
      'process: running, standby\nprobe: standby, at 0/5000000, replayed 0/4000000, end not known',
    );
    expect(document.xlogLocation).toBe(0x4000000n);
  });

  it('says nothing of positions while the server does not answer', () => {
    const document = documentOf('process: running, standby\nprobe: no answer');
    expect(document.xlogLocation).toBeUndefined();
    expect(document.timeline).toBeUndefined();
  });
});

describe('what makes a member write its key', () => {
  const before = documentOf('process: running, standby\nprobe: standby, at 0/5000000');

  it('is more than WAL when its state or role changes', () => {
    const after = documentOf('process: running, standby\nprobe: starting');
    expect(differsBeyondWal(before, after)).toBe(true);
    expect(differsBeyondWal(before, { ...before })).toBe(false);
    expect(differsBeyondWal(before, { ...before, tags: { ...before.tags, nosync: true } })).toBe(
      true,
    );
  });

  it('is more than WAL when it is told otherwise whose commits wait', () => {
    const waiting = [{ kind: 'role', name: 'billing', state: 'missing' }] as const;
    const waits = [{ ...waiting[0], state: 'waits' }] as const;
    expect(differsBeyondWal({ ...before, waiting }, { ...before, waiting: waits })).toBe(true);
    expect(differsBeyondWal({ ...before, waiting }, { ...before, waiting: [...waiting] })).toBe(
      false,
    );
  });

  it('is more when a restart is scheduled, or another one', () => {
    const lines = 'process: running, standby\nprobe: standby, at 0/5000000\n';
    const { scheduledRestart } = documentOf(`${lines}scheduled restart: for in 1h, replica`);
    if (scheduledRestart === undefined) throw new Error('one is scheduled');
    const scheduled = { ...before, scheduledRestart };
    const { schedule, ...rest } = scheduledRestart;
    expect(differsBeyondWal(before, scheduled)).toBe(true);
    expect(
      differsBeyondWal(scheduled, { ...before, scheduledRestart: { ...rest, schedule } }),
    ).toBe(false);
    const changes = [
      { limitMs: 1 },
      { postmasterStartedAt: 'later' },
      { schedule: { ...schedule, text: 'then' } },
      { conditions: { ...rest.conditions, pendingOnly: true } },
    ];
    for (const change of changes)
      expect(
        differsBeyondWal(scheduled, {
          ...before,
          scheduledRestart: { ...rest, schedule, ...change },
        }),
      ).toBe(true);
  });

  it('is WAL alone when only that moves', () => {
    const after = documentOf('process: running, standby\nprobe: standby, at 0/5000001');
    expect(differsBeyondWal(before, after)).toBe(false);
    expect(differsInWal(before, after)).toBe(true);
    expect(differsInWal(before, { ...before })).toBe(false);
  });
});

describe('assemblePeerAnswer', () => {
  const answerOf = (lines: string, tags = '') =>
    assemblePeerAnswer(mustBuildMember(`me alpha: ${tags}\n${lines}`));
  const standby = 'process: running, standby\nprobe: standby, at 0/5000000\n';

  it('of a standby has its position, and that it may be promoted', () => {
    expect(answerOf(standby)).toMatchObject({
      running: true,
      primary: false,
      electable: true,
      position: { known: true, position: { timeline: 1, lsn: 0x5000000n } },
    });
  });

  it.each([
    ['is a primary', 'process: running, primary\nprobe: primary, at 0/1'],
    ['is a standby that somebody promoted', 'process: running, standby\nprobe: primary, at 0/1'],
    ['may be one, and does not answer', 'process: running, standby, promoted\nprobe: starting'],
  ])('of a server that %s says that it may accept writes', (_name, lines) => {
    const answer = answerOf(lines);
    expect(answer).toMatchObject({ primary: true, electable: false, position: { known: false } });
  });

  it.each([
    ['has left', `${standby}loop: leaving since now`],
    ['is being stopped', `${standby}under way server: fence`],
    ['does not reach the store', `${standby}store: failing since 11s ago\nstore initialize:`],
    ['does not run', 'process: dead and silent\ndisk: of a standby'],
  ])('of a member that %s says that it is not to be elected', (_name, lines) => {
    expect(answerOf(lines)).toMatchObject({ electable: false });
  });

  it('of a member that is tagged says that it is not to be elected', () => {
    expect(answerOf(standby, 'nofailover')).toMatchObject({ electable: false });
  });
});

describe('addressIn', () => {
  it.each([
    ['postgres://10.0.0.1:5432/postgres', '10.0.0.1:5432'],
    ['postgresql://user:secret@pg-1.example:5432/db?sslmode=require', 'pg-1.example:5432'],
    ['postgres://[fd00::1]:5432/postgres', '[fd00::1]:5432'],
    ['postgres://pg-1:5432', 'pg-1:5432'],
    ['http://pg-1:8008/', undefined],
    ['', undefined],
  ])('%s', (url, address) => {
    expect(addressIn(url)).toBe(address);
  });
});
