// Shows how a change of the cluster-wide configuration is made, laid over it, and told: as Patroni's
// PATCH does it, so that what anybody else has written there stays.
import fc from 'fast-check';
import type { Json, JsonObject } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { describeConfigChange, diffConfig, mergeConfig, replaceConfig } from './merge-config.ts';

const DOCUMENT = {
  ttl: 30,
  pause: true,
  postgresql: { use_slots: true, parameters: { work_mem: '4MB', max_connections: 100 } },
  ignore_slots: [{ name: 'a' }],
};

describe('mergeConfig', () => {
  it.each([
    ['a value', { ttl: 20 }, { ...DOCUMENT, ttl: 20 }],
    ['a key that was not there', { loop_wait: 5 }, { ...DOCUMENT, loop_wait: 5 }],
    ['a list as a whole', { ignore_slots: [] }, { ...DOCUMENT, ignore_slots: [] }],
    [
      'a value inside',
      { postgresql: { parameters: { work_mem: '8MB', jit: null } } },
      {
        ...DOCUMENT,
        postgresql: { use_slots: true, parameters: { work_mem: '8MB', max_connections: 100 } },
      },
    ],
    [
      'a map where a value was, without what is to be removed',
      { ttl: { a: 1, b: null } },
      { ...DOCUMENT, ttl: { a: 1 } },
    ],
  ])('changes %s', (_name, change, expected) => {
    expect(mergeConfig(DOCUMENT, change as JsonObject)).toEqual(expected);
  });

  it('removes what is null', () => {
    const { pause: _gone, ...rest } = DOCUMENT;
    expect(mergeConfig(DOCUMENT, { pause: null })).toEqual(rest);
  });

  it('changes a part of a part, and leaves the document it was given as it was', () => {
    const whole = { ttl: 30, postgresql: { use_slots: true, parameters: { a: 1, b: 2 } } };
    const part = { ttl: null, pause: true, postgresql: { parameters: { a: null, c: 3 } } };
    expect(mergeConfig(whole, part)).toEqual({
      pause: true,
      postgresql: { use_slots: true, parameters: { b: 2, c: 3 } },
    });
    expect(whole.ttl).toBe(30);
  });

  it('makes a map of what was none', () => {
    expect(mergeConfig({ slots: 'x' }, { slots: { a: null, b: 1 } })).toEqual({ slots: { b: 1 } });
  });

  it.each([
    [{}],
    [{ ttl: '30' }],
    [{ postgresql: { parameters: { max_connections: '100' } } }],
    [{ loop_wait: null }],
    [{ ignore_slots: [{ name: 'a' }] }],
  ])('%j is no change', (change) => {
    expect(mergeConfig(DOCUMENT, change as JsonObject)).toBe(DOCUMENT);
  });
});

describe('replaceConfig', () => {
  it('leaves nothing of the document, and no nulls', () => {
    const next = { loop_wait: 5, pause: null, slots: { a: null, b: 1 } };
    expect(replaceConfig(DOCUMENT, next)).toEqual({ loop_wait: 5, slots: { b: 1 } });
    expect(replaceConfig(DOCUMENT, {})).toEqual({});
  });

  it('is the document itself when nothing differs', () => {
    expect(replaceConfig(DOCUMENT, { ...structuredClone(DOCUMENT), ttl: '30' })).toBe(DOCUMENT);
  });

  it.each([[{ ttl: {} }], [{ ...DOCUMENT, slots: {} }]])('tells %j apart', (next) => {
    expect(replaceConfig(DOCUMENT, next as JsonObject)).toEqual(next);
  });
});

const anyJson = fc.letrec<{ value: Json; map: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(true, 1, '1', 'a', ''),
    fc.array(fc.constantFrom(1, 'a'), { maxLength: 2 }),
    tie('map'),
  ),
  map: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
})).map;

describe('diffConfig', () => {
  it('is what makes the second of the first, but for how values are written', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (before, after) => {
        const made = mergeConfig(before, diffConfig(before, after));
        expect(describeConfigChange(made, after)).toEqual([]);
      }),
    );
  });

  it('says nothing of what both do not speak of', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (before, after) => {
        const change = diffConfig(before, after);
        expect(mergeConfig({ ...before, other: 1 }, change)['other']).toBe(1);
      }),
    );
  });

  it('is empty for equal ones', () => {
    expect(diffConfig(DOCUMENT, structuredClone(DOCUMENT))).toEqual({});
  });
});

describe('describeConfigChange', () => {
  it('names each value with what it was and is', () => {
    const after = {
      ...DOCUMENT,
      ttl: 20,
      pause: undefined as never,
      postgresql: { use_slots: true, parameters: { work_mem: '8MB', jit: false } },
    };
    expect(describeConfigChange(DOCUMENT, after)).toEqual([
      'ttl 30 → 20',
      'pause true → not set',
      'postgresql.parameters.work_mem 4MB → 8MB',
      'postgresql.parameters.max_connections 100 → not set',
      'postgresql.parameters.jit not set → false',
    ]);
  });
});
