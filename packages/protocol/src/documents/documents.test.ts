// Shows that documents are written byte for byte as Patroni writes them and read in every form it
// has written them in. The texts were captured from live clusters of Patroni 3.0 and 4.1.
import { readFileSync } from 'node:fs';
import type {
  LeaseTerm,
  MemberDocument,
  MemberName,
  StoreDocuments,
  Timeline,
} from '@matriarch/core';
import { defaultTags, lsn, memberName, wallTime } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { encodeJson, parseExactJson } from '../json/exact-json.ts';
import { MATRIARCH_VERSION } from '../version.ts';
import { decodeMember, encodeMember } from './member-codec.ts';
import {
  assembleSnapshot,
  clusterPrefix,
  documentKeys,
  documentPath,
  encodeCompare,
  encodeDocument,
  encodeWrite,
  memberPath,
} from './store-documents.ts';

const PREFIX = '/service/demo/';

/** What a snapshot says of one document whose key holds this text. */
const read = <K extends keyof StoreDocuments>(
  key: K,
  value: string,
): StoreDocuments[K] | undefined => {
  const entry = { key: PREFIX + documentPath(key), value, createRevision: 1, modRevision: 2 };
  const range = { revision: 9, prefix: PREFIX, entries: [{ ...entry, leaseId: undefined }] };
  return assembleSnapshot(range)[key]?.value as StoreDocuments[K] | undefined;
};

const replica: MemberDocument = {
  connUrl: 'postgres://127.0.0.1:55432/postgres',
  apiUrl: 'http://127.0.0.1:58002/patroni',
  state: 'running',
  role: 'replica',
  tags: {
    ...defaultTags,
    nofailover: true,
    clonefrom: true,
    failoverPriority: 3,
    others: { foo: 'bar' },
  },
  pendingRestart: true,
  xlogLocation: lsn(117443448),
  replayLsn: lsn(117443448),
  receiveLsn: lsn(117443448),
  replicationState: 'streaming',
  timeline: 8 as Timeline,
  ours: false,
};

describe('members', () => {
  it('are written in the fields and the order of Patroni, with our marker at the end', () => {
    const text =
      '{"conn_url":"postgres://127.0.0.1:55432/postgres",' +
      '"api_url":"http://127.0.0.1:58002/patroni","state":"running","role":"replica",' +
      '"version":"4.1.4","tags":{"nofailover":true,"clonefrom":true,"failover_priority":3,' +
      '"foo":"bar"},"pending_restart":true,"xlog_location":117443448,"replay_lsn":117443448,' +
      '"receive_lsn":117443448,"replication_state":"streaming","timeline":8';
    expect(encodeMember(replica)).toBe(`${text}}`);
    expect(encodeMember({ ...replica, ours: true, job: { kind: 'clone', doneBytes: 5 } })).toBe(
      `${text},"matriarch":{"version":"${MATRIARCH_VERSION}","job":{"kind":"clone","done_bytes":5}}}`,
    );
  });

  it('leave out what says nothing', () => {
    const document: MemberDocument = {
      connUrl: 'a',
      apiUrl: 'b',
      state: 'running',
      role: 'primary',
      tags: { ...defaultTags, others: { quiet: false } },
      pendingRestart: false,
      checkpointAfterPromote: true,
      ours: false,
    };
    expect(encodeMember(document)).toBe(
      '{"conn_url":"a","api_url":"b","state":"running","role":"primary","version":"4.1.4"}',
    );
    expect(encodeMember({ ...document, checkpointAfterPromote: false })).toContain(
      '"version":"4.1.4","checkpoint_after_promote":false}',
    );
  });

  it('of Patroni 3.0 and 4.1 are read', () => {
    const old = decodeMember(
      '{"conn_url":"postgres://127.0.0.1:55431/postgres","api_url":"http://127.0.0.1:58001/patroni",' +
        '"state":"running","role":"master","version":"3.0.2","xlog_location":24400368,"timeline":1}',
    );
    expect(old).toMatchObject({
      role: 'primary',
      xlogLocation: 24400368n,
      timeline: 1,
      ours: false,
      tags: defaultTags,
    });
    const captured =
      '{"conn_url":"postgres://127.0.0.1:55432/postgres","api_url":"http://127.0.0.1:58002/patroni",' +
      '"state":"running","role":"replica","version":"4.1.4","tags":{"nofailover":true,' +
      '"clonefrom":true,"failover_priority":3,"foo":"bar"},"pending_restart":true,' +
      '"pending_restart_reason":{"max_connections":{"old_value":"120","new_value":"100"}},' +
      '"xlog_location":117443448,"replay_lsn":117443448,"receive_lsn":117443448,' +
      '"replication_state":"streaming","timeline":8}';
    expect(decodeMember(captured)).toEqual({
      ...replica,
      checkpointAfterPromote: undefined,
      job: undefined,
    });
  });

  it.each(['', 'null', '[]', '{', '"x"', '17'])(
    'that cannot be read (%j) count as empty',
    (text) => {
      expect(decodeMember(text)).toMatchObject({ connUrl: '', state: '', role: '', ours: false });
    },
  );

  it('come back as they were written', () => {
    const document: MemberDocument = {
      ...replica,
      xlogLocation: lsn(0xffff_ffff_ffff_ffffn),
      ours: true,
      checkpointAfterPromote: false,
      job: { kind: 'rewind', doneBytes: 1, totalBytes: 2 },
      waiting: [
        { kind: 'role', name: 'billing', state: 'waits' },
        { kind: 'role', name: 'reports', state: 'set-otherwise', value: 'local' },
        { kind: 'database', name: 'ledger', state: 'missing' },
      ],
    };
    expect(decodeMember(encodeMember(document))).toEqual(document);
  });

  it('say when they are to be restarted, as Patroni does', () => {
    const restart =
      '{"schedule":"2030-01-01T00:00:00+00:00","restart_pending":true,' +
      '"postmaster_start_time":"2026-11-23 08:21:48.830618+00:00"}';
    const scheduledRestart = {
      schedule: { text: '2030-01-01T00:00:00+00:00', at: wallTime(Date.UTC(2030, 0, 1)) },
      conditions: { role: undefined, postgresVersion: undefined, pendingOnly: true },
      limitMs: undefined,
      postmasterStartedAt: '2026-11-23 08:21:48.830618+00:00',
    };
    expect(encodeMember({ ...replica, scheduledRestart })).toContain(
      `"timeline":8,"scheduled_restart":${restart}}`,
    );
    expect(decodeMember(`{"scheduled_restart":${restart}}`).scheduledRestart).toEqual(
      scheduledRestart,
    );
    const all = {
      ...scheduledRestart,
      conditions: { role: 'replica', postgresVersion: '15.9', pendingOnly: false },
      limitMs: 1_234,
    } as const;
    const text = encodeMember({ ...replica, scheduledRestart: all });
    expect(text).toContain('"role":"replica","postgres_version":"15.9","timeout":1.234,');
    expect(decodeMember(text).scheduledRestart).toEqual(all);
    for (const none of ['{}', 'null', '"soon"', '{"schedule":7}'])
      expect(decodeMember(`{"scheduled_restart":${none}}`).scheduledRestart).toBeUndefined();
  });

  it('say in our part whose commits wait, and what nobody can read of it is left out', () => {
    const text = encodeMember({
      ...replica,
      ours: true,
      waiting: [{ kind: 'database', name: 'ledger', state: 'missing' }],
    });
    expect(text).toContain('"waiting":[{"database":"ledger","state":"missing"}]}}');
    const later = text.replace('[{', '[{"role":"a","state":"of-a-later-version"},7,{');
    expect(decodeMember(later).waiting).toEqual([
      { kind: 'database', name: 'ledger', state: 'missing' },
    ]);
  });
});

describe('the documents of Patroni', () => {
  it.each([
    ['initialize', '7711278875043525676', '7711278875043525676'],
    ['leader', memberName('pg1'), 'pg1'],
    [
      'config',
      { ttl: 30, postgresql: { use_pg_rewind: true } },
      '{"ttl":30,"postgresql":{"use_pg_rewind":true}}',
    ],
    ['status', { optime: lsn(117440608) }, '{"optime":117440608}'],
    [
      'status',
      { optime: lsn(1n << 60n), slots: { pg2: lsn(117441856) }, retainSlots: ['pg1', 'pg2'] },
      '{"optime":1152921504606846976,"slots":{"pg2":117441856},"retain_slots":["pg1","pg2"]}',
    ],
    ['failover', {}, '{}'],
    [
      'failover',
      { leader: 'pg1' as MemberName, member: 'pg3' as MemberName },
      '{"leader":"pg1","member":"pg3"}',
    ],
    ['failover', { member: 'pg3' as MemberName }, '{"member":"pg3"}'],
    [
      'failover',
      {
        leader: 'pg1' as MemberName,
        scheduledAt: {
          text: '2030-01-01T00:00:00+00:00',
          at: wallTime(Date.UTC(2030, 0, 1)),
        },
      },
      '{"leader":"pg1","scheduled_at":"2030-01-01T00:00:00+00:00"}',
    ],
    [
      'history',
      [
        {
          timeline: 1 as Timeline,
          switchLsn: lsn(67112072),
          reason: 'no recovery target specified',
          at: '2026-11-23T08:21:46.623366+00:00',
          leader: 'pg3' as MemberName,
        },
      ],
      '[[1,67112072,"no recovery target specified","2026-11-23T08:21:46.623366+00:00","pg3"]]',
    ],
    ['history', [], '[]'],
    [
      'sync',
      { leader: 'pg1' as MemberName, quorum: 0, voters: [] },
      '{"leader":"pg1","quorum":0,"sync_standby":null}',
    ],
    [
      'failsafe',
      { pg1: 'http://127.0.0.1:58001/patroni' },
      '{"pg1":"http://127.0.0.1:58001/patroni"}',
    ],
  ] as const)('%s is written as it was captured, and comes back', (key, document, text) => {
    expect(encodeDocument(key, document as never)).toBe(text);
    expect(read(key, text)).toEqual(document);
  });

  it('status is read in its older forms', () => {
    expect(read('status', '117440608')).toEqual({ optime: 117440608n });
    expect(read('status', '{"optime":1,"slots":"{\\"a\\":5}","retain_slots":"[\\"a\\"]"}')).toEqual(
      {
        optime: 1n,
        slots: { a: 5n },
        retainSlots: ['a'],
      },
    );
    expect(read('status', 'garbage')).toEqual({ optime: 0n });
    expect(read('status', '18446744073709551615')).toEqual({ optime: 18446744073709551615n });
  });

  it('failover is read in its older form, and damaged text asks for nothing', () => {
    expect(read('failover', 'pg1:pg3')).toEqual({ leader: 'pg1', member: 'pg3' });
    expect(read('failover', ':pg3')).toEqual({ leader: undefined, member: 'pg3' });
    expect(read('failover', 'pg1:')).toEqual({ leader: 'pg1', member: undefined });
    for (const text of ['', '{"leader":', '[]', 'null', '12'])
      expect(read('failover', text)).toEqual({ leader: undefined, member: undefined });
    expect(read('failover', '{"leader":"","member":null}')).toEqual({});
    expect(read('failover', '{"leader":"pg1","scheduled_at":""}')).toEqual({ leader: 'pg1' });
  });

  it.each(['"tonight"', '"2030-01-01T00:00:00"', '17', '{"at":1}'])(
    'failover for %s asks for a time that nobody can read, and not for now',
    (value) => {
      const document = read('failover', `{"leader":"pg1","scheduled_at":${value}}`);
      expect(document).toMatchObject({ leader: 'pg1', scheduledAt: { at: undefined } });
      expect(document?.scheduledAt?.text).toBe(value.replace(/^"|"$/g, ''));
    },
  );

  it('sync is read as Patroni writes it, and names nobody when it cannot be read', () => {
    expect(read('sync', '{"leader":"pg1","sync_standby":"pg3"}')).toEqual({
      leader: 'pg1',
      quorum: 0,
      voters: ['pg3'],
    });
    expect(read('sync', '{"leader":"pg1","quorum":1,"sync_standby":"pg2, pg3"}')).toEqual({
      leader: 'pg1',
      quorum: 1,
      voters: ['pg2', 'pg3'],
    });
    for (const text of ['', 'x', '[]', 'null', '3'])
      expect(read('sync', text)).toEqual({ leader: undefined, quorum: 0, voters: [] });
  });

  it.each(['config', 'failsafe'] as const)('%s that cannot be read counts as empty', (key) => {
    for (const text of ['', 'x', '[]', 'null', '3']) expect(read(key, text)).toEqual({});
  });

  it('rows of the history that cannot be read are passed over', () => {
    expect(read('history', '[[1,5,"a"],[0,5,"b"],["x"],7,[2,6,"c","t"]]')).toEqual([
      { timeline: 1, switchLsn: 5n, reason: 'a' },
      { timeline: 2, switchLsn: 6n, reason: 'c', at: 't' },
    ]);
    expect(read('history', '{}')).toEqual([]);
  });
});

describe('our own documents', () => {
  const life = { host: 'boot/1', run: 'abc' };
  const term = 12 as LeaseTerm;
  const own = {
    timelines: {
      issued: 3 as Timeline,
      promotions: [
        {
          timeline: 2 as Timeline,
          parent: 1 as Timeline,
          switchLsn: lsn(1n << 62n),
          member: memberName('pg2'),
          term,
        },
      ],
    },
    holder: { member: memberName('pg1'), life, since: term },
    bootstrap: { member: memberName('pg1'), life },
    handover: {
      from: memberName('pg1'),
      term,
      cause: 'crash',
      end: { known: true, position: { timeline: 2 as Timeline, lsn: lsn(77) } },
      heir: memberName('pg2'),
      quietMs: 60_000.5,
    },
  } as const;

  it.each(Object.entries(own))('%s comes back as it was written', (key, document) => {
    const text = encodeDocument(key as keyof typeof own, document as never);
    expect(text).not.toMatch(/\s/);
    expect(read(key as keyof typeof own, text)).toEqual(document);
  });

  it('a hand-over without a known end or an heir comes back too', () => {
    const document = { ...own.handover, end: { known: false } as const, heir: undefined };
    expect(read('handover', encodeDocument('handover', document))).toEqual(document);
  });

  it('a holder whose reign began with its term comes back too', () => {
    const { member, life: lived } = own.holder;
    const document = { member, life: lived };
    expect(read('holder', encodeDocument('holder', document))).toEqual(document);
  });

  it.each(Object.keys(own))('a damaged %s counts as absent', (key) => {
    for (const text of ['', 'x', '{}', '[]', 'null', '{"issued":0,"promotions":[]}'])
      expect(read(key as keyof typeof own, text)).toBeUndefined();
  });

  it('timelines with one damaged promotion count as absent as a whole', () => {
    expect(read('timelines', '{"issued":3,"promotions":[{"timeline":2}]}')).toBeUndefined();
  });
});

describe('keys', () => {
  it('of Patroni are its own, ours live apart', () => {
    expect(documentPath('leader')).toBe('leader');
    expect(documentKeys.filter((key) => documentPath(key) !== key).map(documentPath)).toEqual([
      'matriarch/timelines',
      'matriarch/holder',
      'matriarch/handover',
      'matriarch/bootstrap',
      'matriarch/quiet',
      'matriarch/suspension',
      'matriarch/journal',
    ]);
    expect(memberPath('pg1')).toBe('members/pg1');
  });

  it.each([
    ['service', 'demo', '/service/demo/'],
    ['/postgresql/', 'postgresql-cluster', '/postgresql/postgresql-cluster/'],
    ['a/b', 'c', '/a/b/c/'],
  ])('%s and %s make %s', (namespace, scope, prefix) => {
    expect(clusterPrefix(namespace, scope)).toBe(prefix);
  });
});

describe('assembleSnapshot', () => {
  it('reads members and documents with their revisions and leases, and nothing else', () => {
    const entry = (key: string, value: string, leaseId?: string) => ({
      key,
      value,
      createRevision: 3,
      modRevision: 4,
      leaseId,
    });
    const snapshot = assembleSnapshot({
      revision: 17,
      prefix: PREFIX,
      entries: [
        entry('/service/demo/leader', 'pg1', '4111120187919632681'),
        entry('/service/demo/members/pg1', encodeMember(replica), '4111120187919632681'),
        entry('/service/demo/members/pg1/extra', '{}'),
        entry('/service/demo/members/', '{}'),
        entry('/service/demo/matriarch/other', '{}'),
        entry('/service/demo/optime/leader', '1'),
        entry('/service/demo2/leader', 'foreign'),
      ],
    });
    expect(Object.keys(snapshot).sort()).toEqual(['leader', 'members', 'revision']);
    expect(snapshot.revision).toBe(17);
    expect(snapshot.leader).toEqual({
      value: 'pg1',
      createRevision: 3,
      modRevision: 4,
      leaseId: '4111120187919632681',
    });
    expect(Object.keys(snapshot.members)).toEqual(['pg1']);
  });
});

describe('writes and conditions', () => {
  it('become keys and texts', () => {
    const leaseId = '5' as never;
    expect(encodeWrite({ key: 'leader', put: memberName('pg1'), leaseId }, PREFIX)).toEqual({
      key: '/service/demo/leader',
      put: 'pg1',
      leaseId: '5',
    });
    expect(encodeWrite({ key: 'handover', remove: true }, PREFIX)).toEqual({
      key: '/service/demo/matriarch/handover',
      remove: true,
    });
    expect(encodeWrite({ member: memberName('pg1'), put: replica, leaseId }, PREFIX)).toEqual({
      key: '/service/demo/members/pg1',
      put: encodeMember(replica),
      leaseId: '5',
    });
    expect(encodeCompare({ key: 'timelines', modRevision: 0 }, PREFIX)).toEqual({
      key: '/service/demo/matriarch/timelines',
      modRevision: 0,
    });
  });
});

describe('exact JSON', () => {
  it.each([
    '18446744073709551615',
    '[9007199254740993,-9007199254740993]',
    '{"a":"9007199254740993","b":0.1234567890123456789}',
    '{"1234567890123456789":1e30}',
  ])('%s keeps its integers', (text) => {
    const value = parseExactJson(text);
    expect(value).toBeDefined();
    expect(parseExactJson(encodeJson(value ?? null))).toEqual(value);
    for (const digits of text.match(/(?<![."\d])\d{16,}(?!")/g) ?? [])
      expect(encodeJson(value ?? null)).toContain(digits);
  });

  it('leaves text alone, whatever digits, quotes and escapes it holds', () => {
    const text = JSON.stringify({
      a: '12345678901234567890',
      b: '\\"1234567890123456789\\',
      c: '\u0000',
    });
    expect(parseExactJson(text)).toEqual(JSON.parse(text));
  });

  it('escapes what is not ASCII, spaces only when asked, and leaves out undefined', () => {
    expect(encodeJson({ name: 'köln', nothing: undefined, list: [1, null] })).toBe(
      '{"name":"k\\u00f6ln","list":[1,null]}',
    );
    expect(encodeJson({ a: [1, 2], b: true }, { spaced: true })).toBe('{"a": [1, 2], "b": true}');
  });

  it.each(['', '{', '1 2', '"', '0.12345678901234567x'])('%j is no JSON', (text) => {
    expect(parseExactJson(text)).toBeUndefined();
  });
});

describe('our version', () => {
  it('is the one of the package', () => {
    const file = new URL('../../package.json', import.meta.url);
    expect((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version).toBe(
      MATRIARCH_VERSION,
    );
  });
});
