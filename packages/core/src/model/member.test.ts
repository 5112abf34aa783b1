/*
 * Shows slot names as Patroni makes them, so that both use the same slots, and who may fail over.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultTags, mayFailOver, memberName, slotNameOf } from './member.ts';

describe('slotNameOf', () => {
  it.each([
    ['alpha', 'alpha'],
    ['pg-1', 'pg_1'],
    ['pg-1.example.org', 'pg_1_example_org'],
    ['PG_1', 'pg_1'],
    ['a b', 'au0032b'],
    ['bär', 'bu0228r'],
    ['x😀', 'xu128512'],
  ])('%s has the slot %s', (name, slot) => {
    expect(slotNameOf(memberName(name))).toBe(slot);
  });

  it('is a name PostgreSQL takes for any member', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme', maxLength: 80 }), (name) => {
        expect(slotNameOf(memberName(name))).toMatch(/^[a-z0-9_]{1,63}$/u);
      }),
    );
  });
});

describe('mayFailOver', () => {
  it('is refused by either tag', () => {
    expect(mayFailOver(defaultTags)).toBe(true);
    expect(mayFailOver({ ...defaultTags, nofailover: true })).toBe(false);
    expect(mayFailOver({ ...defaultTags, failoverPriority: 0 })).toBe(false);
    expect(mayFailOver({ ...defaultTags, failoverPriority: 2 })).toBe(true);
  });
});
