/**
 * What `list` prints: patronictl's columns in its table, and the same in JSON, for a cluster of a
 * primary, a replica that streams and one that is being cloned.
 */
import { defaultTags, lsn, memberName } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { SCHEDULE, buildSnapshot, memberDocument } from '../../agent/api/testing/build-state.ts';
import { assembleMemberJson, formatMemberTable } from './member-table.ts';

const calm = buildSnapshot({
  optime: 0x300_0148,
  members: {
    pg1: memberDocument(1, { role: 'primary' }),
    pg2: memberDocument(2, { receiveLsn: lsn(0x300_0148), replayLsn: lsn(0x300_0060) }),
  },
});

const busy = buildSnapshot({
  optime: 0x300_0148,
  members: {
    pg1: memberDocument(1, { role: 'primary', pendingRestart: true }),
    pg2: memberDocument(2, {
      state: 'creating replica',
      replicationState: undefined,
      timeline: undefined,
      receiveLsn: undefined,
      replayLsn: undefined,
      tags: { ...defaultTags, nofailover: true, others: { zone: 'b' } },
      job: { kind: 'clone', doneBytes: 1_048_576, totalBytes: 2_097_152 },
    }),
  },
});

describe('the table', () => {
  it('ends with a word on a pause', () => {
    const paused = buildSnapshot({ config: { pause: true } });
    expect(formatMemberTable('demo', paused).split('\n').at(-1)).toBe(' Maintenance mode: on');
    expect(formatMemberTable('demo', calm)).not.toContain('Maintenance');
  });

  it('ends with a switchover that waits for its time', () => {
    const failover = {
      leader: memberName('pg1'),
      member: memberName('pg2'),
      scheduledAt: SCHEDULE,
    };
    const lines = formatMemberTable('demo', buildSnapshot({ failover })).split('\n');
    expect(lines.slice(-3)).toEqual([
      ' Switchover scheduled at: 2030-01-01T00:00:00+00:00',
      '                    from: pg1',
      '                      to: pg2',
    ]);
    const asked = { leader: memberName('pg1') };
    expect(formatMemberTable('demo', buildSnapshot({ failover: asked }))).not.toContain('from');
  });

  it('says when a member is to be restarted', () => {
    const restart = {
      schedule: SCHEDULE,
      conditions: { pendingOnly: false },
      limitMs: undefined,
      postmasterStartedAt: undefined,
    };
    const older = { ...restart, conditions: { pendingOnly: false, postgresVersion: '15.9' } };
    const snapshot = buildSnapshot({
      members: {
        pg1: memberDocument(1, { scheduledRestart: restart }),
        pg2: memberDocument(2, { scheduledRestart: older }),
        pg3: memberDocument(3),
      },
    });
    const [, header = '', , ...rows] = formatMemberTable('demo', snapshot).split('\n');
    const last = (line: string): string | undefined => line.split('|').at(-2)?.trim();
    expect(last(header)).toBe('Scheduled restart');
    expect(rows.slice(0, 3).map(last)).toEqual([
      SCHEDULE.text,
      `${SCHEDULE.text} if version < 15.9`,
      '',
    ]);
    expect(assembleMemberJson('demo', snapshot)[0]).toMatchObject({
      'Scheduled restart': SCHEDULE.text,
    });
  });

  it('has the columns of patronictl', () => {
    expect(formatMemberTable('demo', calm)).toBe(
      [
        '+ Cluster: demo (7711278875043525676) -----------+----+-------------+-----+------------+-----+',
        '| Member | Host            | Role    | State     | TL | Receive LSN | Lag | Replay LSN | Lag |',
        '+--------+-----------------+---------+-----------+----+-------------+-----+------------+-----+',
        '| pg1    | 127.0.0.1:55431 | Leader  | running   |  5 |             |     |            |     |',
        '| pg2    | 127.0.0.1:55432 | Replica | streaming |  5 |   0/3000148 |   0 |  0/3000060 |   0 |',
        '+--------+-----------------+---------+-----------+----+-------------+-----+------------+-----+',
      ].join('\n'),
    );
  });

  it('has further columns when a row has something to say in them', () => {
    const lines = formatMemberTable('demo', busy).split('\n');
    const cells = (line: string | undefined): string[] =>
      (line ?? '').split('|').map((cell) => cell.trim());
    expect(cells(lines[1])).toEqual(
      (
        '|Member|Host|Role|State|TL|Receive LSN|Lag|Replay LSN|Lag|' +
        'Pending restart|Progress|Tags|'
      ).split('|'),
    );
    expect(cells(lines[3]).slice(9)).toEqual(['', '*', '', '', '']);
    expect(cells(lines[4]).slice(4)).toEqual([
      'creating replica',
      '',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
      '',
      'clone 50% of 2 MB',
      '{"nofailover":true,"zone":"b"}',
      '',
    ]);
  });

  it.each([
    ['7711278875043525676', '(7711278875043525676)'],
    ['', '(initializing)'],
    [undefined, '(uninitialized)'],
  ])('names a cluster whose initialize key is %j %s', (value, words) => {
    const { initialize, ...rest } = calm;
    const snapshot =
      value === undefined || initialize === undefined
        ? rest
        : { ...rest, initialize: { ...initialize, value } };
    expect(formatMemberTable('demo', snapshot).split('\n')[0]).toContain(`Cluster: demo ${words}`);
  });
});

describe('JSON', () => {
  it('has an object for each member, without empty cells', () => {
    expect(assembleMemberJson('demo', calm)).toEqual([
      {
        Cluster: 'demo',
        Member: 'pg1',
        Host: '127.0.0.1:55431',
        Role: 'Leader',
        State: 'running',
        TL: 5,
      },
      {
        Cluster: 'demo',
        Member: 'pg2',
        Host: '127.0.0.1:55432',
        Role: 'Replica',
        State: 'streaming',
        TL: 5,
        'Receive LSN': '0/3000148',
        'Receive Lag': 0,
        'Replay LSN': '0/3000060',
        'Replay Lag': 0,
      },
    ]);
  });

  it('has tags as an object, and what is not known as patronictl says it', () => {
    const [leader, replica] = assembleMemberJson('demo', busy);
    expect(leader).toMatchObject({ 'Pending restart': '*' });
    expect(replica).toMatchObject({
      'Receive LSN': 'unknown',
      'Receive Lag': 'unknown',
      Progress: 'clone 50% of 2 MB',
      Tags: { nofailover: true, zone: 'b' },
    });
    expect(leader).not.toHaveProperty('Tags');
  });
});
