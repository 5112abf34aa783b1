import type {
  Instant,
  JournalDetails,
  JournalDocument,
  JournalRow,
  Revision,
} from '@matriarch/core';
import type { MemberName } from '@matriarch/core';
import type { ExactJson } from '../json/exact-json.ts';
import { encodeJson } from '../json/exact-json.ts';
import { asInteger, asList, asObject, asText } from '../json/read-json.ts';
import type { Codec } from './patroni-codecs.ts';

const encodeRow = (row: JournalRow): ExactJson => {
  const { member, clock, at, revision, event, level, rule, because, details } = row;
  return { member, clock, at, revision, event, level, rule, because, details };
};

const decodeDetails = (value: ExactJson | undefined): JournalDetails =>
  Object.fromEntries(
    Object.entries(asObject(value)).filter(
      (entry): entry is [string, string | number | boolean] =>
        typeof entry[1] === 'string' ||
        typeof entry[1] === 'number' ||
        typeof entry[1] === 'boolean',
    ),
  );

const decodeRow = (value: ExactJson): readonly JournalRow[] => {
  const row = asObject(value);
  const member = asText(row['member']) as MemberName | undefined;
  const clock = row['clock'];
  const revision = asInteger(row['revision']);
  if (member === undefined || typeof clock !== 'number' || revision === undefined) return [];
  return [
    {
      member,
      clock: clock as Instant,
      at: asText(row['at']),
      revision: revision as Revision,
      event: asText(row['event']),
      level: asText(row['level']) ?? 'info',
      rule: asText(row['rule']),
      because: asText(row['because']),
      details: decodeDetails(row['details']),
    },
  ];
};

/**
 * It is the longest of all documents and comes with every snapshot, also while a failover is under
 * way: it is not read by the exact but slow parser, and not twice.
 */
let last: { readonly text: string; readonly document: JournalDocument } = {
  text: '',
  document: { rows: [] },
};

const parse = (text: string): ExactJson | undefined => {
  try {
    return JSON.parse(text) as ExactJson;
  } catch {
    return undefined;
  }
};

/**
 * Nothing is decided on this document, so that rows which cannot be read are passed over: a damaged
 * one must not keep new ones out.
 */
export const journalCodec: Codec<JournalDocument> = {
  encode: ({ rows }) => encodeJson({ rows: rows.map(encodeRow) }),
  decode: (text) => {
    if (text !== last.text) {
      const rows = asList(asObject(parse(text))['rows']).flatMap(decodeRow);
      last = { text, document: { rows } };
    }
    return last.document;
  },
};
