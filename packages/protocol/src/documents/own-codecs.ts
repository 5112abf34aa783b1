import type {
  BootstrapDocument,
  HandoverCause,
  HandoverDocument,
  HolderDocument,
  KnownPosition,
  LeaseTerm,
  Life,
  MemberName,
  Promotion,
  QuietDocument,
  SuspensionDocument,
  Timeline,
  TimelinesDocument,
} from '@matriarch/core';
import { knownPosition, unknownPosition } from '@matriarch/core';
import type { ExactJson, ExactJsonObject } from '../json/exact-json.ts';
import { encodeJson, parseExactJson } from '../json/exact-json.ts';
import { asInteger, asList, asLsn, asObject, asText, isObject } from '../json/read-json.ts';
import type { Codec } from './patroni-codecs.ts';

/**
 * Our own keys. Nobody else writes them, so a damaged one is not guessed at: it counts as absent,
 * every condition on it fails, and nothing is done on what it might have said.
 */
const readWhole = <T>(
  text: string,
  read: (document: ExactJsonObject) => T | undefined,
): T | undefined => {
  const value = parseExactJson(text);
  return isObject(value) ? read(value) : undefined;
};

const asTimeline = (value: ExactJson | undefined): Timeline | undefined => {
  const number = asInteger(value);
  return number === undefined || number < 1 ? undefined : (number as Timeline);
};

const asName = (value: ExactJson | undefined): MemberName | undefined =>
  asText(value) as MemberName | undefined;

const asLife = (value: ExactJson | undefined): Life | undefined => {
  const { host, run } = asObject(value);
  return typeof host === 'string' && typeof run === 'string' ? { host, run } : undefined;
};

const asTerm = (value: ExactJson | undefined): LeaseTerm | undefined =>
  asInteger(value) as LeaseTerm | undefined;

export const timelinesCodec: Codec<TimelinesDocument> = {
  encode: ({ issued, promotions }) =>
    encodeJson({
      issued,
      promotions: promotions.map(({ timeline, parent, switchLsn, member, term }) => ({
        timeline,
        parent,
        switch_lsn: switchLsn,
        member,
        term,
      })),
    }),
  decode: (text) =>
    readWhole(text, (document) => {
      const issued = asTimeline(document['issued']);
      const rows = asList(document['promotions']).map(decodePromotion);
      const promotions = rows.filter((row) => row !== undefined);
      if (issued === undefined || promotions.length < rows.length) return undefined;
      return { issued, promotions };
    }),
};

const decodePromotion = (value: ExactJson): Promotion | undefined => {
  const row = asObject(value);
  const timeline = asTimeline(row['timeline']);
  const parent = asTimeline(row['parent']);
  const switchLsn = asLsn(row['switch_lsn']);
  const member = asName(row['member']);
  const term = asTerm(row['term']);
  if (timeline === undefined || parent === undefined || switchLsn === undefined) return undefined;
  if (member === undefined || term === undefined) return undefined;
  return { timeline, parent, switchLsn, member, term };
};

/** Who, and in which of its lives. */
const readPerson = (document: ExactJsonObject): BootstrapDocument | undefined => {
  const member = asName(document['member']);
  const life = asLife(document['life']);
  return member === undefined || life === undefined ? undefined : { member, life };
};

export const holderCodec: Codec<HolderDocument> = {
  encode: ({ member, life: { host, run }, since }) =>
    encodeJson({ member, life: { host, run }, since }),
  decode: (text) =>
    readWhole(text, (document) => {
      const person = readPerson(document);
      const since = asTerm(document['since']);
      return person === undefined || since === undefined ? person : { ...person, since };
    }),
};

/** The shape of `bootstrap` and `suspension`. */
const personCodec: Codec<BootstrapDocument & SuspensionDocument> = {
  encode: ({ member, life: { host, run } }) => encodeJson({ member, life: { host, run } }),
  decode: (text) => readWhole(text, readPerson),
};

export const bootstrapCodec: Codec<BootstrapDocument> = personCodec;
export const suspensionCodec: Codec<SuspensionDocument> = personCodec;

const causes: readonly HandoverCause[] = ['crash', 'cannot-start', 'switchover', 'shutdown'];

export const handoverCodec: Codec<HandoverDocument> = {
  encode: ({ from, term, cause, end, needed, heir, quietMs }) =>
    encodeJson({
      from,
      term,
      cause,
      end: encodePosition(end),
      needed: needed === undefined ? undefined : encodePosition(knownPosition(needed)),
      heir,
      quiet_ms: quietMs,
    }),
  decode: (text) =>
    readWhole(text, (document) => {
      const from = asName(document['from']);
      const term = asTerm(document['term']);
      const cause = causes.find((known) => known === document['cause']);
      const quietMs = document['quiet_ms'];
      if (from === undefined || term === undefined || cause === undefined) return undefined;
      if (typeof quietMs !== 'number') return undefined;
      const end = decodePosition(document['end']);
      const needed = decodePosition(document['needed']);
      return {
        from,
        term,
        cause,
        end,
        ...(needed.known ? { needed: needed.position } : {}),
        heir: asName(document['heir']),
        quietMs,
      };
    }),
};

const encodePosition = (end: KnownPosition): ExactJson =>
  end.known ? { timeline: end.position.timeline, lsn: end.position.lsn } : null;

const decodePosition = (value: ExactJson | undefined): KnownPosition => {
  const end = asObject(value);
  const timeline = asTimeline(end['timeline']);
  const lsn = asLsn(end['lsn']);
  return timeline === undefined || lsn === undefined
    ? unknownPosition
    : knownPosition({ timeline, lsn });
};

export const quietCodec: Codec<QuietDocument> = {
  encode: ({ ms }) => encodeJson({ ms }),
  decode: (text) =>
    readWhole(text, ({ ms }) => (typeof ms === 'number' && ms > 0 ? { ms } : undefined)),
};
