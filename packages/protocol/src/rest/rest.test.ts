// Shows what the REST API speaks: request bodies with old and new names, the status document as
// Patroni writes it, and what is understood of a peer's answer, ours or a Patroni's (captured ones).
import type { Lineage, PeerAnswer, Timeline } from '@matriarch/core';
import { defaultTags, lsn } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { MATRIARCH_VERSION } from '../version.ts';
import { encodeClusterStatus } from './cluster-document.ts';
import { parsePeerStatus } from './peer-status.ts';
import {
  configRequest,
  failoverRequest,
  failsafeRequest,
  parseRequest,
  reinitializeRequest,
  restartRequest,
  switchoverRequest,
} from './requests.ts';
import type { MemberStatus } from './status-document.ts';
import { encodeMemberStatus } from './status-document.ts';

describe('requests', () => {
  it('take candidate or its older name', () => {
    expect(parseRequest(switchoverRequest, '{"leader":"pg1","member":"pg3"}')).toEqual({
      ok: true,
      value: { leader: 'pg1', candidate: 'pg3', scheduled_at: undefined },
    });
    expect(
      parseRequest(failoverRequest, '{"candidate":"pg2","member":"pg3","leader":null,"x":1}'),
    ).toMatchObject({ ok: true, value: { candidate: 'pg2', leader: undefined } });
    expect(parseRequest(switchoverRequest, '{"leader":"pg1","candidate":""}')).toMatchObject({
      ok: true,
      value: { candidate: undefined },
    });
  });

  it.each([
    [switchoverRequest, '', 'the body is empty'],
    [switchoverRequest, '{', 'the body is not JSON'],
    [switchoverRequest, '[]', 'the body is not valid'],
    [switchoverRequest, '{"leader":5}', 'leader: '],
    [restartRequest, '{"foo":1}', 'foo'],
    [restartRequest, '{"timeout":-1}', 'timeout: '],
    [restartRequest, '{"postgres_version":"9"}', 'X.Y or X.Y.Z is accepted'],
    [restartRequest, '{"role":"master"}', 'role: '],
    [failsafeRequest, '{"name":"a"}', 'conn_url: '],
    [configRequest, '[1]', 'the body is not valid'],
  ])('%# refuses %j', (schema, text, message) => {
    const parsed = parseRequest<unknown>(schema, text);
    expect(parsed).toMatchObject({ ok: false, problem: { code: 'request-invalid' } });
    expect(parsed.ok ? '' : parsed.problem.message).toContain(message);
  });

  it('may be empty where Patroni lets them be', () => {
    const optional = { isOptional: true };
    expect(parseRequest(restartRequest, '', optional)).toMatchObject({ ok: true });
    expect(parseRequest(reinitializeRequest, '{"force":"on"}', optional)).toEqual({
      ok: true,
      value: { force: true, from_leader: undefined },
    });
  });

  it('of the configuration keep null, which removes a key', () => {
    expect(parseRequest(configRequest, '{"pause":null,"ttl":20}')).toEqual({
      ok: true,
      value: { pause: null, ttl: 20 },
    });
  });
});

const lineage: Lineage = {
  timeline: 5 as Timeline,
  ancestors: [
    { timeline: 1 as Timeline, switchLsn: lsn(100) },
    { timeline: 3 as Timeline, switchLsn: lsn(1n << 61n) },
  ],
};

const primary: MemberStatus = {
  scope: 'demo',
  name: 'pg1',
  state: 'running',
  role: 'primary',
  postmasterStartTime: '2026-11-23 08:25:19.152235+00:00',
  serverVersion: 150018,
  wal: { location: lsn(117441856) },
  timeline: 5 as Timeline,
  replication: [
    {
      usename: 'replicator',
      applicationName: 'pg2',
      clientAddr: '127.0.0.1',
      state: 'streaming',
      syncState: 'async',
      syncPriority: 0,
    },
  ],
  dcsLastSeen: 1795422386,
  tags: { ...defaultTags, clonefrom: true },
  systemIdentifier: '7711278875043525676',
  ours: { positionKnown: true, lineage, electable: true },
};

describe('the status document', () => {
  it('is written as Patroni writes it, with our part at the end', () => {
    expect(encodeMemberStatus(primary)).toBe(
      '{"state": "running", "postmaster_start_time": "2026-11-23 08:25:19.152235+00:00", ' +
        '"role": "primary", "server_version": 150018, "xlog": {"location": 117441856}, ' +
        '"timeline": 5, "replication": [{"usename": "replicator", "application_name": "pg2", ' +
        '"client_addr": "127.0.0.1", "state": "streaming", "sync_state": "async", ' +
        '"sync_priority": 0}], "dcs_last_seen": 1795422386, "tags": {"clonefrom": true}, ' +
        '"database_system_identifier": "7711278875043525676", ' +
        '"patroni": {"version": "4.1.4", "scope": "demo", "name": "pg1"}, ' +
        `"matriarch": {"version": "${MATRIARCH_VERSION}", "position_known": true, "timeline": 5, ` +
        '"lineage": [[1, 100], [3, 2305843009213693952]], "electable": true}}',
    );
  });

  it('of a standby shows null for what it does not know', () => {
    const wal = {
      receivedLocation: undefined,
      replayedLocation: lsn(150995040),
      replayedTimestamp: undefined,
      paused: false,
    };
    expect(encodeMemberStatus({ ...primary, role: 'replica', wal })).toContain(
      '"xlog": {"received_location": null, "replayed_location": 150995040, ' +
        '"replayed_timestamp": null, "paused": false}',
    );
  });
});

describe('a peer', () => {
  const answered = (text: string): Extract<PeerAnswer, { kind: 'answers' }> => {
    const answer = parsePeerStatus(text);
    if (answer.kind !== 'answers') throw new Error(answer.cause);
    return answer;
  };

  it('of ours says all that is in its document', () => {
    expect(answered(encodeMemberStatus(primary))).toEqual({
      kind: 'answers',
      running: true,
      primary: true,
      position: { known: true, position: { timeline: 5, lsn: 117441856n } },
      lineage,
      tags: primary.tags,
      electable: true,
    });
  });

  it('of ours may not know its position, or know it while its server is down', () => {
    const silent: MemberStatus = {
      ...primary,
      state: 'stopped',
      role: 'replica',
      wal: undefined,
      timeline: undefined,
      ours: { positionKnown: false, lineage: undefined, electable: false },
    };
    expect(answered(encodeMemberStatus(silent))).toMatchObject({
      running: false,
      primary: false,
      position: { known: false },
      lineage: undefined,
      electable: false,
    });
    const position = { timeline: 5 as Timeline, lsn: lsn(1n << 60n) };
    const measured = {
      ...silent,
      ours: { positionKnown: true, position, lineage, electable: false },
    };
    expect(answered(encodeMemberStatus(measured))).toMatchObject({
      position: { known: true, position },
      lineage,
    });
  });

  it('of Patroni 4.1 streams, with the higher of received and replayed', () => {
    const text =
      '{"state": "running", "postmaster_start_time": "2026-11-23 08:33:41.985201+00:00", "role": ' +
      '"replica", "server_version": 150018, "xlog": {"received_location": 150995040, ' +
      '"replayed_location": 150995000, "replayed_timestamp": null, "paused": false}, "timeline": 10, ' +
      '"replication_state": "streaming", "dcs_last_seen": 1795422823, "tags": {"nofailover": true, ' +
      '"failover_priority": 3, "foo": "bar"}, "database_system_identifier": "7711278875043525676", ' +
      '"patroni": {"version": "4.1.4", "scope": "demo", "name": "pg2"}}';
    expect(answered(text)).toEqual({
      kind: 'answers',
      running: true,
      primary: false,
      position: { known: true, position: { timeline: 10, lsn: 150995040n } },
      lineage: undefined,
      tags: { ...defaultTags, nofailover: true, failoverPriority: 3, others: { foo: 'bar' } },
      electable: true,
    });
    expect(parsePeerStatus(JSON.parse(text))).toEqual(parsePeerStatus(text));
  });

  it.each([
    ['{"state":"running","role":"master","wal":{"location":5},"timeline":1}', { primary: true }],
    ['{"state":"running","role":"replica","xlog":{"location":5},"timeline":1}', { primary: true }],
    [
      '{"state":"running","role":"primary","xlog":{}}',
      { primary: true, position: { known: false } },
    ],
    [
      '{"state":"running","role":"replica","xlog":{"received_location":5}}',
      { position: { known: false } },
    ],
    ['{"state":"running","role":"replica","xlog":{},"watchdog_failed":true}', { electable: false }],
    ['{"state":"running","role":"replica","xlog":{},"pause":true}', { electable: false }],
    ['{"state":"starting","role":"replica","xlog":{}}', { running: false, electable: false }],
  ])('of Patroni: %s', (text, expected) => {
    expect(answered(text)).toMatchObject(expected);
  });

  it.each([
    '',
    '<html>',
    '[]',
    'null',
    '{"state": "stopping", "role": "replica", "patroni": {"version": "3.0.2", "scope": "demo"}}',
  ])('that shows no position is no answer: %j', (text) => {
    expect(parsePeerStatus(text).kind).toBe('no-answer');
  });
});

describe('the cluster document', () => {
  it('is written as Patroni writes it, sorted by name', () => {
    const member = { apiUrl: 'http://127.0.0.1:58001/patroni', host: '127.0.0.1', port: 55431 };
    expect(
      encodeClusterStatus({
        scope: 'demo',
        pause: true,
        members: [
          {
            ...member,
            name: 'pg2',
            role: 'replica',
            state: 'streaming',
            timeline: 5 as Timeline,
            lag: {
              receiveLsn: lsn(117441856),
              receiveLagBytes: 0n,
              replayLsn: undefined,
              replayLagBytes: undefined,
            },
          },
          { ...member, name: 'pg1', role: 'leader', state: 'running', timeline: 5 as Timeline },
        ],
      }),
    ).toBe(
      '{"members": [{"name": "pg1", "role": "leader", "state": "running", ' +
        '"api_url": "http://127.0.0.1:58001/patroni", "host": "127.0.0.1", "port": 55431, ' +
        '"timeline": 5}, {"name": "pg2", "role": "replica", "state": "streaming", ' +
        '"api_url": "http://127.0.0.1:58001/patroni", "host": "127.0.0.1", "port": 55431, ' +
        '"timeline": 5, "receive_lag": 0, "receive_lsn": "0/7000540", "replay_lag": "unknown", ' +
        '"lag": "unknown"}], "scope": "demo", "pause": true}',
    );
  });
});
