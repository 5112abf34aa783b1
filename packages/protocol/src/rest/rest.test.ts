// Shows what the REST API speaks: request bodies with old and new names, and what is understood of
// an answer, of ours or of a Patroni's (captured ones).
import type { Lineage, PeerAnswer, Timeline } from '@matriarch/core';
import { defaultTags, lsn } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { clusterAnswer, memberStatusAnswer, parseAnswer } from './answers.ts';
import { parsePeerStatus } from './peer-status.ts';
import {
  configRequest,
  failoverRequest,
  failsafeRequest,
  parseRequest,
  reinitializeRequest,
  switchoverRequest,
} from './requests.ts';

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
    [failsafeRequest, '{"name":"a"}', 'conn_url: '],
    [configRequest, '[1]', 'the body is not valid'],
  ])('%# refuses %j', (schema, text, message) => {
    const parsed = parseRequest<unknown>(schema, text);
    expect(parsed).toMatchObject({ ok: false, problem: { code: 'request-invalid' } });
    expect(parsed.ok ? '' : parsed.problem.message).toContain(message);
  });

  it('may be empty where Patroni lets them be', () => {
    const optional = { isOptional: true };
    expect(parseRequest(reinitializeRequest, '', optional)).toMatchObject({ ok: true });
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

const ourPrimary = (ours: string): string =>
  '{"state": "running", "role": "primary", "server_version": 150018, ' +
  '"xlog": {"location": 2305843009213693953}, "timeline": 5, "tags": {"clonefrom": true}, ' +
  '"patroni": {"version": "4.1.4", "scope": "demo", "name": "pg1"}, ' +
  `"matriarch": {"version": "0.1.0"${ours}}}`;

const lineage: Lineage = {
  timeline: 5 as Timeline,
  ancestors: [
    { timeline: 1 as Timeline, switchLsn: lsn(100) },
    { timeline: 3 as Timeline, switchLsn: lsn(1n << 61n) },
  ],
};

describe('a peer', () => {
  const answered = (text: string): Extract<PeerAnswer, { kind: 'answers' }> => {
    const answer = parsePeerStatus(text);
    if (answer.kind !== 'answers') throw new Error(answer.cause);
    return answer;
  };

  it('of ours says all that is in its document, LSNs to the byte', () => {
    const text = ourPrimary(
      ', "running": true, "primary": true, "position_known": true, ' +
        '"lineage": [[1, 100], [3, 2305843009213693952]], "electable": true',
    );
    expect(answered(text)).toEqual({
      kind: 'answers',
      running: true,
      primary: true,
      position: { known: true, position: { timeline: 5, lsn: 2305843009213693953n } },
      lineage,
      streaming: false,
      tags: { ...defaultTags, clonefrom: true },
      electable: true,
    });
  });

  it.each([
    ['', { position: { known: false }, lineage: undefined, electable: false, primary: true }],
    [
      ', "position_known": false, "lineage": []',
      { position: { known: false }, lineage: { ancestors: [] } },
    ],
    [', "running": false, "primary": false', { running: false, primary: false }],
    [', "lineage": [[1, "x"]]', { lineage: undefined }],
    [', "lineage": [[1, 100], 7]', { lineage: undefined }],
  ])('of ours is taken at its word: %s', (ours, expected) => {
    expect(answered(ourPrimary(ours))).toMatchObject(expected);
  });

  it('of ours may know its position while its server is down', () => {
    const text =
      '{"state": "stopped", "role": "replica", "matriarch": {"version": "0.1.0", ' +
      '"position_known": true, "position": [5, 1152921504606846977], "lineage": [[1, 100]]}}';
    expect(answered(text)).toMatchObject({
      running: false,
      primary: false,
      position: { known: true, position: { timeline: 5, lsn: 1152921504606846977n } },
      lineage: { timeline: 5, ancestors: [{ timeline: 1, switchLsn: 100n }] },
      electable: false,
    });
    expect(answered('{"state": "stopped", "role": "replica", "matriarch": {}}')).toMatchObject({
      position: { known: false },
      lineage: undefined,
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
      streaming: true,
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

describe('answers', () => {
  it('to GET /patroni are read whole, unknown fields and exact positions kept', () => {
    const answer = parseAnswer(memberStatusAnswer, ourPrimary(', "running": true, "new": 1'));
    expect(answer).toMatchObject({
      role: 'primary',
      xlog: { location: 2305843009213693953n },
      patroni: { name: 'pg1' },
      matriarch: { running: true, new: 1 },
    });
  });

  it('to GET /cluster are read, of Patroni 3.0 and 4.1', () => {
    const text =
      '{"members": [{"name": "pg1", "role": "leader", "state": "running", "api_url": ' +
      '"http://127.0.0.1:58001/patroni", "host": "127.0.0.1", "port": 55431, "timeline": 5}, ' +
      '{"name": "pg2", "role": "quorum_standby", "state": "streaming", "api_url": ' +
      '"http://127.0.0.1:58002/patroni", "host": "127.0.0.1", "port": 55432, "timeline": 5, ' +
      '"receive_lag": 0, "receive_lsn": "0/7000540", "replay_lag": "unknown", ' +
      '"lag": 0, "lsn": "0/7000540"}], "scope": "demo", "pause": true, ' +
      '"scheduled_switchover": {"at": "2030-01-01T00:00:00+00:00", "from": "pg1"}}';
    expect(parseAnswer(clusterAnswer, text)).toEqual(JSON.parse(text));
    const old = '{"members": [{"name": "a", "role": "replica", "state": "running", "lag": 5}]}';
    expect(parseAnswer(clusterAnswer, old)).toEqual(JSON.parse(old));
  });

  it.each(['', '{', '[]', '{"members": 3}', '{"members": [{"name": 5}]}'])('%j is none', (text) => {
    expect(parseAnswer(clusterAnswer, text)).toBeUndefined();
  });
});
