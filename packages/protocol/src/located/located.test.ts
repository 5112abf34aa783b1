// Shows how configuration text is read: YAML 1.1 as the field writes it, the place of every part,
// every fault with its place and never with the text of a line, units, addresses, near misses.
import { describe, expect, it } from 'vitest';
import { formatMistakes } from '../errors/mistake.ts';
import {
  formatEndpoint,
  parseConnectAddress,
  parseListen,
  parseListenAddresses,
  splitHostPort,
} from './endpoint-parsers.ts';
import { entryAt, toJson } from './located.ts';
import { editDistance, findNearest } from './nearest.ts';
import { parseYaml } from './parse-yaml.ts';
import {
  parseBoolean,
  parseDurationMs,
  parseInteger,
  parseSizeBytes,
  parseText,
  parseWholeSecondsMs,
} from './parsers.ts';

const read = (text: string) => {
  const { root, mistakes } = parseYaml(text, { file: 'f.yml' });
  return { json: root === undefined ? undefined : toJson(root), text: formatMistakes(mistakes) };
};

describe('parseYaml', () => {
  it('reads on, off, yes and no as booleans, and a lone y or n as text', () => {
    expect(read('a: on\nb: no\nc: "on"\nd: y\ne: N\nf: Off').json).toEqual({
      a: true,
      b: false,
      c: 'on',
      d: 'y',
      e: 'N',
      f: false,
    });
  });

  it('keeps dates, times and infinities as the text they are', () => {
    expect(read('a: 2024-02-01\nb: 12:30\nc: .inf\nd: 0777\ne: 0x1F').json).toEqual({
      a: '2024-02-01',
      b: '12:30',
      c: '.inf',
      d: 511,
      e: 31,
    });
  });

  it('takes keys as they are typed', () => {
    expect(read('on: 1\n5: 2\n~: 3').json).toEqual({ on: 1, '5': 2, '~': 3 });
  });

  it('resolves anchors and merges, and what is written out wins', () => {
    expect(read('a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\ne: *x').json).toEqual({
      a: { b: 1, c: 2 },
      d: { b: 1, c: 3 },
      e: { b: 1, c: 2 },
    });
  });

  it('knows the place of every value: that of its key, or of the item', () => {
    const { root } = parseYaml('a:\n  b: 1\n  c:\n  - x\n  -  y\n', { file: 'f.yml' });
    const at = (...path: string[]) => {
      const { line, column } = (root && entryAt(root, path))?.place ?? {};
      return [line, column];
    };
    expect(at('a')).toEqual([1, 1]);
    expect(at('a', 'b')).toEqual([2, 3]);
    const list = root && entryAt(root, ['a', 'c']);
    expect(list?.kind === 'list' && list.items.map(({ place }) => place.column)).toEqual([5, 6]);
  });

  it.each([
    ['a:\n\tb: 1', 'f.yml:2:1: a tab is used for indentation; use spaces'],
    [
      'a: 1\nb:\n  c: 1\n  c: 2',
      'f.yml:4:3: b.c: the key is given twice in one section; keep one of them',
    ],
    [
      'a: @b',
      'f.yml:1:4: a value begins with a character that has a meaning in YAML; put it in quotes',
    ],
    [
      'a: b: c',
      'f.yml:1:4: a second ": " in one line; put the value in quotes, or begin a new line',
    ],
    ['a: 1\n---\nb: 1', 'f.yml:2:1: a second document begins here; keep one document in a file'],
    [
      'a: !x b',
      'f.yml:1:4: a tag (!…) that is not supported; remove it, or put the value in quotes',
    ],
    ['a: "b', 'f.yml:1:6: a quote, bracket or colon is missing'],
    ['? [a]\n: 1', 'f.yml:1:3: a key must be plain text'],
  ])('says where %j is wrong', (text, message) => {
    expect(read(text)).toEqual({ json: undefined, text: message });
  });

  it('finds an alias without its anchor, and says every fault of that kind at once', () => {
    expect(read('a: *no\nb: [*never]').text.split('\n')).toEqual([
      expect.stringContaining('f.yml:1:1: a: the value begins with * and names no anchor'),
      expect.stringContaining('f.yml:2:5: b[0]: the value begins with *'),
    ]);
  });

  it('never repeats the text of a line that cannot be read', () => {
    for (const text of [
      'p: @hunter2',
      'p: *hunter2',
      'p: "hunter2',
      'p: hunter2: x',
      'p: !hunter2 x',
    ]) {
      const { text: said } = read(text);
      expect(said).not.toBe('');
      expect(said).not.toContain('hunter2');
    }
  });

  it('stops at text made to exhaust it', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((name, index) => {
        const before = 'abcdefgh'[index] ?? '';
        return `${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`;
      }),
    ].join('\n');
    expect(read(bomb).text).toMatch(/more than 20000 parts/);
    expect(read(`${'[1,'.repeat(100)}1${']'.repeat(100)}`).text).toMatch(
      /more than 40 levels deep/,
    );
    expect(read('x'.repeat(1_000_001)).text).toMatch(/1000001 characters/);
  });
});

const valueOf = <T>(parsed: { ok: true; value: T } | { ok: false }) =>
  parsed.ok ? parsed.value : undefined;

describe('parsers', () => {
  it.each([
    [parseText, 'abc', 'abc'],
    [parseText, 5, '5'],
    [parseText, true, undefined],
    [parseText, '', undefined],
    [parseBoolean, 'YES', true],
    [parseBoolean, 0, false],
    [parseBoolean, 'maybe', undefined],
    [parseInteger({ minimum: 3 }), '4', 4],
    [parseInteger({ minimum: 3 }), 2, undefined],
    [parseInteger({ maximum: 3 }), 4, undefined],
    [parseInteger(), 1.5, undefined],
    [parseSizeBytes(), '16kB', 16_384n],
    [parseSizeBytes(), '1 MB', 1_048_576n],
    [parseSizeBytes(), 1_048_576, 1_048_576n],
    [parseSizeBytes(), '1.5GB', 1_610_612_736n],
    [parseSizeBytes(), '5 elephants', undefined],
    [parseSizeBytes({ minimum: 0 }), -1, undefined],
    [parseDurationMs(), '30min', 1_800_000],
    [parseDurationMs(), '100ms', 100],
    [parseDurationMs(), 30, 30_000],
    [parseDurationMs(), '1h', 3_600_000],
    [parseDurationMs(), true, undefined],
    [parseWholeSecondsMs, '5s', 5_000],
    [parseWholeSecondsMs, '5.5s', undefined],
  ])('%o reads %s as %s', (parser, value, expected) => {
    expect(valueOf<unknown>(parser({ value }))).toEqual(expected);
  });

  it('asks for quotes where YAML would change what was typed', () => {
    expect(parseText({ value: 83, source: '0123' })).toMatchObject({
      ok: false,
      fix: 'put it in quotes',
    });
    expect(parseText({ value: 123, source: '123' })).toEqual({ ok: true, value: '123' });
  });
});

describe('addresses', () => {
  it.each([
    ['db1:5432', { host: 'db1', port: 5432 }],
    ['[::1]:5432', { host: '::1', port: 5432 }],
    ['db1', undefined],
    ['db1:0', undefined],
    ['db1:70000', undefined],
    ['a b:1', undefined],
    ['user@db1:5432', undefined],
  ])('%s', (text, expected) => {
    expect(splitHostPort(text)).toEqual(expected);
    if (expected !== undefined) expect(formatEndpoint(expected)).toBe(text);
  });

  it('takes a default port only where one is given', () => {
    expect(splitHostPort('etcd1', 2379)).toEqual({ host: 'etcd1', port: 2379 });
    expect(splitHostPort('[::1]', 2379)).toEqual({ host: '::1', port: 2379 });
  });

  it('lists several addresses with one port', () => {
    expect(valueOf(parseListenAddresses({ value: '127.0.0.1, 10.0.0.1:5432' }))).toEqual({
      addresses: ['127.0.0.1', '10.0.0.1'],
      port: 5432,
    });
    expect(parseListenAddresses({ value: 'abc' }).ok).toBe(false);
    expect(parseListenAddresses({ value: 'a,,b:1' }).ok).toBe(false);
  });

  it('listens on every interface but does not connect to it', () => {
    expect(valueOf(parseListen('x:1')({ value: ':8008' }))).toEqual({
      host: '0.0.0.0',
      port: 8008,
    });
    expect(parseConnectAddress('x:1')({ value: '0.0.0.0:8008' })).toMatchObject({
      ok: false,
      allowed: 'an address that other members can connect to',
    });
  });
});

describe('findNearest', () => {
  it('counts slips of the keyboard, a swap as one', () => {
    expect(editDistance('ttl', 'ttl')).toBe(0);
    expect(editDistance('tlt', 'ttl')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('names what was most likely meant, or nothing', () => {
    const known = ['listen', 'data_dir', 'connect_address', 'ttl'];
    expect(findNearest('lisetn', known)).toBe('listen');
    expect(findNearest('data-dir', known)).toBe('data_dir');
    expect(findNearest('conect_adress', known)).toBe('connect_address');
    expect(findNearest('zookeeper', known)).toBeUndefined();
    expect(findNearest('x', ['ttl'])).toBeUndefined();
  });
});
