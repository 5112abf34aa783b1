// Shows, for any text and any document, that reading never throws and that what we write comes back.
import type {
  LeaseTerm,
  MemberName,
  StatusDocument,
  Timeline,
  TimelinesDocument,
} from '@matriarch/core';
import { lsn } from '@matriarch/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePeerStatus } from '../rest/peer-status.ts';
import { encodeJson, parseExactJson } from '../json/exact-json.ts';
import { decodeMember } from './member-codec.ts';
import { assembleSnapshot, documentKeys, documentPath, encodeDocument } from './store-documents.ts';

const anyLsn = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((bytes) => lsn(bytes));
const anyTimeline = fc.integer({ min: 1, max: 2 ** 31 }).map((number) => number as Timeline);
const anyName = fc.string({ minLength: 1 }).map((name) => name as MemberName);

const roundTrip = (key: 'status' | 'timelines', document: StatusDocument | TimelinesDocument) =>
  assembleSnapshot({
    revision: 1,
    prefix: '/',
    entries: [
      {
        key: `/${documentPath(key)}`,
        value: encodeDocument(key, document as never),
        createRevision: 1,
        modRevision: 1,
        leaseId: undefined,
      },
    ],
  })[key]?.value;

describe('documents', () => {
  it('come back exactly', () => {
    fc.assert(
      fc.property(
        fc.record({
          optime: anyLsn,
          slots: fc.dictionary(
            fc.string().filter((name) => name !== '__proto__'),
            anyLsn,
          ),
          retainSlots: fc.array(fc.string()),
        }),
        (status) => {
          expect(roundTrip('status', status)).toEqual(status);
        },
      ),
    );
    const promotion = fc.record({
      timeline: anyTimeline,
      parent: anyTimeline,
      switchLsn: anyLsn,
      member: anyName,
      term: fc.maxSafeNat().map((number) => number as LeaseTerm),
    });
    fc.assert(
      fc.property(
        fc.record({ issued: anyTimeline, promotions: fc.array(promotion) }),
        (timelines) => {
          expect(roundTrip('timelines', timelines)).toEqual(timelines);
        },
      ),
    );
  });

  it('of any content are read without an error', () => {
    const anyText = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(anyText, fc.constantFrom(...documentKeys, 'members/a'), (value, key) => {
        const path = key === 'members/a' ? key : documentPath(key);
        const entry = {
          key: `/${path}`,
          value,
          createRevision: 1,
          modRevision: 1,
          leaseId: undefined,
        };
        assembleSnapshot({ revision: 1, prefix: '/', entries: [entry] });
        decodeMember(value);
        expect(['answers', 'no-answer']).toContain(parsePeerStatus(value).kind);
      }),
    );
  });

  it('in JSON are the same as for JSON.parse, where floats are exact', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!/\d{16}/.test(text));
        expect(parseExactJson(text)).toEqual(JSON.parse(text));
        expect(JSON.parse(encodeJson(parseExactJson(text) ?? null))).toEqual(JSON.parse(text));
      }),
    );
  });
});
