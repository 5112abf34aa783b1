/**
 * Changes of the cluster-wide configuration as people write them: single values, texts of YAML laid
 * over it or in its place, and everything that is wrong with them at once.
 */
import fc from 'fast-check';
import type { JsonObject } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { formatMistakes } from '../errors/mistake.ts';
import { type ConfigEdit, editConfig, formatYaml } from './edit-config.ts';

const DOCUMENT: JsonObject = {
  ttl: 30,
  postgresql: { use_slots: true, parameters: { max_connections: 100 } },
};

const edit = (change: Partial<ConfigEdit>): JsonObject => {
  const { config, mistakes } = editConfig(DOCUMENT, { set: [], parameters: [], ...change });
  expect(formatMistakes(mistakes)).toBe('');
  return config;
};

const mistakesOf = (change: Partial<ConfigEdit>): readonly string[] => {
  const { mistakes } = editConfig(DOCUMENT, { set: [], parameters: [], ...change });
  return mistakes.map((mistake) => formatMistakes([mistake]));
};

const text = (yaml: string) => ({ text: yaml, file: 'change.yml' });

describe('a single value', () => {
  it.each([
    ['synchronous_mode=quorum', { ...DOCUMENT, synchronous_mode: 'quorum' }],
    ['synchronous_mode=on', { ...DOCUMENT, synchronous_mode: true }],
    ["synchronous_mode='on'", { ...DOCUMENT, synchronous_mode: 'on' }],
    [' ttl = 20', { ...DOCUMENT, ttl: 20 }],
    ['standby_cluster.host=a=b', { ...DOCUMENT, standby_cluster: { host: 'a=b' } }],
    ['slots={a: {type: physical}}', { ...DOCUMENT, slots: { a: { type: 'physical' } } }],
    ['ttl.deep=1', { ...DOCUMENT, ttl: { deep: 1 } }],
    ['ttl=', { postgresql: DOCUMENT['postgresql'] }],
    ['ttl=null', { postgresql: DOCUMENT['postgresql'] }],
    ['constructor.name=1', { ...DOCUMENT, constructor: { name: 1 } }],
  ])('%s is read as YAML', (word, expected) => {
    expect(edit({ set: [word] })).toEqual(expected);
  });

  it('takes the section away with its last value', () => {
    expect(edit({ set: ['postgresql.parameters.max_connections='] })).toEqual({
      ttl: 30,
      postgresql: { use_slots: true },
    });
  });

  it('of PostgreSQL may have dots in its name', () => {
    const parameters = { max_connections: 100, work_mem: '8MB', 'auto_explain.log_analyze': true };
    const expected = { ttl: 30, postgresql: { use_slots: true, parameters } };
    const words = ['work_mem=8MB', 'auto_explain.log_analyze=on'];
    expect(edit({ parameters: words })).toEqual(expected);
    expect(edit({ set: words.map((word) => `postgresql.parameters.${word}`) })).toEqual(expected);
  });

  it.each(['loop_wait=', 'ttl=30', "ttl='30'", 'postgresql.use_slots=true'])(
    '%s changes nothing',
    (word) => {
      expect(edit({ set: [word] })).toBe(DOCUMENT);
    },
  );
});

describe('a text', () => {
  it('is laid over what is there', () => {
    const change = text('ttl: null\npostgresql:\n  parameters: {work_mem: 8MB}\n');
    expect(edit({ apply: change })).toEqual({
      postgresql: { use_slots: true, parameters: { max_connections: 100, work_mem: '8MB' } },
    });
  });

  it('takes its place, and then the others come', () => {
    expect(edit({ replace: text('ttl: 20\nloop_wait:\n') })).toEqual({ ttl: 20 });
    expect(
      edit({
        replace: text('{ttl: 20, loop_wait: 5, retry_timeout: 5}'),
        apply: text('{loop_wait: 6, retry_timeout: 6}'),
        set: ['retry_timeout=7'],
      }),
    ).toEqual({ ttl: 20, loop_wait: 6, retry_timeout: 7 });
  });

  it('is the document itself when nothing differs', () => {
    expect(edit({ replace: text(formatYaml(DOCUMENT)) })).toBe(DOCUMENT);
  });
});

describe('what is wrong', () => {
  it('is told all at once', () => {
    expect(
      mistakesOf({
        replace: text(''),
        apply: text('- a\n'),
        set: ['ttl', '=1', 'a..b=1', 'x=[1'],
        parameters: ['=1'],
      }),
    ).toEqual([
      'change.yml: holds nothing; write settings as key: value, ' +
        'for example synchronous_mode: quorum',
      'change.yml: is no list of settings; write settings as key: value, ' +
        'for example synchronous_mode: quorum',
      '"ttl" is not key=value; write for example ttl=30',
      '"=1" has an empty key; write for example ttl=30',
      '"a..b=1" has an empty key; write for example ttl=30',
      'x: a quote, bracket or colon is missing',
      '"=1" has an empty key; write for example work_mem=8MB',
    ]);
  });

  it('has its place in a file', () => {
    expect(mistakesOf({ apply: text('ttl: 5\nttl: 6\n') })).toEqual([
      'change.yml:2:1: ttl: the key is given twice in one section; keep one of them',
    ]);
  });
});

describe('formatYaml', () => {
  it('has its keys in order, and quotes only what YAML would read otherwise', () => {
    const config = { ttl: 30, mode: 'on', b: { list: ['100', 1], empty: {} }, a: 'plain' };
    expect(formatYaml(config)).toBe(
      "a: plain\nb:\n  empty: {}\n  list:\n  - '100'\n  - 1\nmode: 'on'\nttl: 30\n",
    );
  });

  it('is read again as what it was', () => {
    const key = fc.stringMatching(/^[a-z_]{1,5}$/);
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constantFrom('on', 'null', '~', '012', '1_0', '12:30', '-', 'a: b', '#'),
    );
    fc.assert(
      fc.property(fc.dictionary(key, value, { minKeys: 1 }), (values) => {
        const config = { ...values, inner: values };
        const read = editConfig({}, { set: [], parameters: [], replace: text(formatYaml(config)) });
        expect(read).toEqual({ config, mistakes: [] });
      }),
    );
  });
});
