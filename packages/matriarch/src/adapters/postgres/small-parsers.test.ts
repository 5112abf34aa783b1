/** Shows the small readers and writers of PostgreSQL's own formats on texts it has written. */
import { describe, expect, it } from 'vitest';
import { renderPassFile } from './access-files.ts';
import { parseProgress } from './clone.ts';
import { serverEnvironment } from './context.ts';
import { usersScript } from './create-users.ts';
import { oldestLsn } from './inspect-upstream.ts';
import { parseLastWords } from './last-words.ts';
import { parsePostmasterFile } from './own-server.ts';
import { readIdentified } from './probe.ts';
import { scramVerifier } from './scram-verifier.ts';
import { parseLastRecordEnd } from './wal-end.ts';
import { lsn, timeline } from '@matriarch/core';

describe('parsePostmasterFile', () => {
  it('reads port, socket and address', () => {
    const text = '7781\n/srv/data\n1795438586\n19114\n/srv/lab\n127.0.0.1\n  11337   \nready   \n';
    expect(parsePostmasterFile(text)).toEqual({
      pid: 7781,
      port: 19114,
      socketDirectory: '/srv/lab',
      listenAddress: '127.0.0.1',
    });
  });
  it('knows a server without a port, and one that is still writing the file', () => {
    const text = '7781\n/srv/data\n1795438586\n19114\n/srv/lab\n\n';
    expect(parsePostmasterFile(text)?.listenAddress).toBeUndefined();
    expect(parsePostmasterFile('7781\n/srv/data\n')).toBeUndefined();
    expect(parsePostmasterFile('')).toBeUndefined();
  });
});

describe('parseProgress', () => {
  it('reads pg_basebackup and pg_rewind', () => {
    const line = '  23456/78901 kB (29%), 0/1 tablespace (.../base/5/1259)';
    expect(parseProgress(line)).toEqual({ doneBytes: 24018944, totalBytes: 80794624 });
    expect(parseProgress('   100/200 kB (50%) copied')).toEqual({
      doneBytes: 102400,
      totalBytes: 204800,
    });
    expect(parseProgress('waiting for checkpoint')).toBeUndefined();
  });
});

describe('renderPassFile', () => {
  it('marks what separates fields, and has each role once', () => {
    const one = { username: 'a:b', password: 'c\\d:e' };
    expect(renderPassFile([one, one, { username: 'none', password: undefined }])).toBe(
      '*:*:*:a\\:b:c\\\\d\\:e\n',
    );
  });
});

describe('serverEnvironment', () => {
  it('keeps our secrets and libpq’s switches from PostgreSQL', () => {
    const environment = {
      PATH: '/bin',
      HOME: '/home/admin',
      PGPASSWORD: 'x',
      PATRONI_SUPERUSER_PASSWORD: 'x',
      MATRIARCH_CONFIG: 'x',
      KUBERNETES_PORT: 'x',
      PG_OOM_ADJUST_FILE: '/proc/self/oom_score_adj',
    };
    const meant = { PATH: '/bin', PG_OOM_ADJUST_FILE: '/proc/self/oom_score_adj' };
    expect(serverEnvironment(environment, true)).toEqual(meant);
    expect(serverEnvironment(environment, false)).toEqual({ ...meant, HOME: '/home/admin' });
  });
});

describe('scramVerifier', () => {
  it('is what RFC 7677 gives for its example', () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    expect(scramVerifier('pencil', salt)).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:' +
        'wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    );
  });
});

describe('usersScript', () => {
  const role = (username: string, password?: string) => ({ username, password, options: {} });
  it('names no password, and quotes names', () => {
    const script = usersScript({
      superuser: role('post"gres', 'top secret'),
      replication: role("o'brien", 'repl secret'),
      rewind: role('rewind', 'rew secret'),
    });
    expect(script).not.toContain('secret');
    expect(script).toContain(
      `alter role "post""gres" with login superuser password 'SCRAM-SHA-256$`,
    );
    expect(script).toContain(`rolname = 'o''brien'`);
  });
  it('gives a role that serves two purposes what both need', () => {
    const one = role('one', 'x');
    const script = usersScript({ superuser: role('postgres'), replication: one, rewind: one });
    expect(script.match(/alter role "one"/g)).toHaveLength(1);
    expect(script).toContain('to "one"');
    expect(script).toContain('alter role "postgres" with login superuser;');
    expect(usersScript({ superuser: one, replication: one, rewind: one })).not.toContain('grant');
  });
});

describe('parseLastWords', () => {
  const start = '2026-11-23 13:06:26 UTC [7784] LOG:  starting PostgreSQL 15.18 on x86_64\n';
  const full =
    'UTC [1] PANIC:  could not write to file "pg_wal/xlogtemp.1": No space left on device\n';
  it.each([
    ['nothing', start, undefined],
    ['a panic', `${start}UTC [1] PANIC:  corrupted item pointer\n`, 'panic'],
    ['a full disk', `${start}${full}UTC [2] LOG:  shutting down\n`, 'disk-full'],
    ['an older run', `${start}${full}${start}UTC [3] LOG:  ready\n`, undefined],
    ['a quotation', `${start}UTC [3] STATEMENT:  select 'PANIC'\n`, undefined],
  ])('of %s', (_, log, words) => {
    expect(parseLastWords(log)).toBe(words);
  });
});

describe('readIdentified', () => {
  it('reads timeline and position', () => {
    expect(readIdentified({ systemid: '1', timeline: '2', xlogpos: '0/3000148' })).toEqual({
      timeline: 2,
      lsn: 0x3000148n,
    });
    expect(readIdentified(undefined)).toBeUndefined();
  });
});

describe('oldestLsn', () => {
  const MB = 1024 * 1024;
  const names = new Set([
    '000000010000000000000001',
    '000000010000000000000003',
    '000000010000000000000004',
    '000000020000000000000005',
    '000000030000000000000002',
  ]);
  const wal = { names, timelines: [timeline(2), timeline(1)], segmentBytes: 16 * MB };
  it('stops at the first gap, and counts the timelines it came from', () => {
    expect(oldestLsn({ ...wal, current: lsn(0x5000100n) })).toBe(0x3000000n);
    expect(oldestLsn({ ...wal, current: lsn(0x9000100n) })).toBe(0x9000000n);
  });
});

describe('parseLastRecordEnd', () => {
  const geometry = { walBlockBytes: 8192, walSegmentBytes: 16 * 1024 * 1024 };
  const insert =
    'rmgr: Heap        len (rec/tot):     59/    59, tx:        725, lsn: 0/03027A80, ' +
    'prev 0/03027A40, desc: INSERT off 96 flags 0x00, blkref #0: rel 1663/5/16384 blk 4\n';
  const change =
    'rmgr: XLOG        len (rec/tot):     24/    24, tx:          0, lsn: 0/0E7CC7F8, ' +
    'prev 0/0E7CC7C0, desc: SWITCH \n';
  it('is behind the last record printed', () => {
    expect(parseLastRecordEnd(`${insert}pg_waldump: done\n`, geometry)).toBe(0x3027ac0n);
    expect(parseLastRecordEnd(`${insert}${change}`, geometry)).toBe(0xf000000n);
    expect(parseLastRecordEnd('', geometry)).toBeUndefined();
  });
});
