/*
 * Shows haproxy.cfg as a whole: two files under review in transcripts/, written with `-u` and read
 * as a diff. Beside them what must hold for any input: names and values never end their word or
 * line. That HAProxy itself accepts the text is for the tests of the program to show.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobodyUp, renderHaproxyState } from './haproxy-state.ts';
import { renderWaitingScript } from './haproxy-waiting.ts';
import { haproxyServerName, memberOfServerName, quoteHaproxy } from './haproxy-words.ts';
import { type HaproxyInput, haproxyDefaults } from './haproxy-input.ts';
import { renderHaproxyConfig } from './haproxy.ts';

const member = (name: string, host: string) => ({
  name,
  host,
  postgresqlPort: 5432,
  restPort: 8008,
});

const members = [
  member('pg-1', '10.0.0.1'),
  member('pg-2', 'pg-2.internal'),
  member('Bär 3', 'fd00::3'),
];

const plain: HaproxyInput = {
  ...haproxyDefaults,
  members,
  write: { host: '*', port: 5432 },
  read: { host: '*', port: 5433 },
  statistics: { host: '127.0.0.1', port: 8404 },
  paths: {
    runtimeSocket: '/run/matriarch/haproxy.sock',
    waitingSocket: '/run/matriarch/waiting.sock',
    gateSocket: '/run/matriarch/gate.sock',
    stateFile: '/var/lib/matriarch/haproxy/servers.state',
    waitingScript: '/var/lib/matriarch/haproxy/waiting.lua',
  },
};

const transcript = (name: string): string => `./transcripts/${name}`;

describe('renderHaproxyConfig', () => {
  it('renders what a cluster gets by default', async () => {
    await expect(renderHaproxyConfig(plain)).toMatchFileSnapshot(transcript('haproxy.cfg'));
  });

  it('renders every option', async () => {
    const text = renderHaproxyConfig({
      ...plain,
      members: members.slice(0, 2),
      paths: { ...plain.paths, stateFile: "/srv/it's here/state" },
      runAs: { user: 'haproxy', group: 'haproxy' },
      restTls: { caFile: '/etc/matriarch/ca.crt' },
      readsFallBack: false,
      maxConnections: 200,
      checks: { intervalMs: 3_000, fastIntervalMs: 1_000, limitMs: 2_000, rise: 2, fall: 3 },
    });
    await expect(text).toMatchFileSnapshot(transcript('haproxy-options.cfg'));
  });

  it('lets nobody wait when the wait is 0', () => {
    const text = renderHaproxyConfig({ ...plain, waitLimitMs: 0 });
    expect(text).not.toContain('lua');
    expect(text).not.toContain('waiting-room ');
    expect(text).toContain('tcp-request content reject if !primary_up');
  });

  it('does not verify the certificate of an API without an authority', () => {
    expect(renderHaproxyConfig({ ...plain, restTls: {} })).toContain('check-ssl verify none');
  });

  it('never lets the statistics page change anything', () => {
    expect(renderHaproxyConfig(plain)).not.toMatch(/^\s*stats admin/mu);
  });

  it('refuses what would break its line', () => {
    const host = '10.0.0.1:5432\n    server evil 10.6.6.6';
    expect(() => renderHaproxyConfig({ ...plain, members: [member('pg-1', host)] })).toThrow(
      'cannot be written on one line',
    );
  });

  it('refuses a cluster without members', () => {
    expect(() => renderHaproxyConfig({ ...plain, members: [] })).toThrow('no members');
  });
});

describe('names', () => {
  it('are HAProxy’s own characters, different for different members, and can be read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
        const written = haproxyServerName(name);
        expect(written).toMatch(/^[A-Za-z0-9_.:-]+$/u);
        expect(memberOfServerName(written)).toBe(name);
      }),
    );
  });

  it('are never the name of the waiting room', () => {
    expect(haproxyServerName('waiting-room')).toBe(':77:aiting-room');
    expect(memberOfServerName(':77:aiting-room')).toBe('waiting-room');
  });

  it('leave ordinary names as they are', () => {
    expect(haproxyServerName('postgresql-1.example_com')).toBe('postgresql-1.example_com');
  });
});

describe('quoteHaproxy', () => {
  it.each([
    ['/run/haproxy.sock', '/run/haproxy.sock'],
    ['/run/my socket', "'/run/my socket'"],
    ["/it's", "'/it'\\''s'"],
    ['$HOME', "'$HOME'"],
    ['a#b', "'a#b'"],
  ])('writes %s as %s', (value, written) => {
    expect(quoteHaproxy('a path', value)).toBe(written);
  });

  it.each(['', 'a\nb', 'a\tb', 'a\u0000b'])('refuses %j', (value) => {
    expect(() => quoteHaproxy('a path', value)).toThrow('a path cannot be written on one line');
  });
});

describe('renderHaproxyState', () => {
  it('begins with nobody up', async () => {
    await expect(renderHaproxyState(members, nobodyUp, plain.checks)).toMatchFileSnapshot(
      transcript('haproxy-start.state'),
    );
  });

  it('goes on with those that were up', async () => {
    const up = { primary: ['pg-2'], replicas: ['pg-1', 'Bär 3'] };
    await expect(renderHaproxyState(members, up, plain.checks)).toMatchFileSnapshot(
      transcript('haproxy-reload.state'),
    );
  });
});

describe('renderWaitingScript', () => {
  it('renders the script', async () => {
    await expect(renderWaitingScript('/run/matriarch/gate.sock')).toMatchFileSnapshot(
      transcript('haproxy-waiting.lua'),
    );
  });

  it('quotes the path of the gate', () => {
    expect(renderWaitingScript("/it's\\$&/gate")).toContain("'unix@' .. '/it\\'s\\\\$&/gate'\n");
  });
});
