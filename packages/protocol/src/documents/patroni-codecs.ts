import type {
  FailoverDocument,
  HistoryEntry,
  JsonObject,
  Lsn,
  MemberName,
  Schedule,
  StatusDocument,
  SyncDocument,
  Timeline,
} from '@matriarch/core';
import { lsn } from '@matriarch/core';
import type { ExactJson } from '../json/exact-json.ts';
import { encodeJson, parseExactJson } from '../json/exact-json.ts';
import { asInteger, asList, asLsn, asObject, asText, isObject } from '../json/read-json.ts';
import { decodeSchedule } from './schedule-codec.ts';

/** Patroni's own keys. What cannot be read counts as empty, as it does for Patroni. */
export interface Codec<T> {
  readonly encode: (document: T) => string;
  /** Undefined: the text says nothing that can be used, and the key counts as absent. */
  readonly decode: (text: string) => T | undefined;
}

export const plainText: Codec<string> = { encode: (text) => text, decode: (text) => text };

/** `leader` is the plain name. */
export const leaderCodec: Codec<MemberName> = {
  encode: (name) => name,
  decode: (text) => text as MemberName,
};

/** A document that is carried as it is. */
export const jsonObject: Codec<JsonObject> = {
  encode: (document) => encodeJson(document),
  decode: (text) => {
    try {
      const value: unknown = JSON.parse(text);
      return isObject(value as ExactJson) ? (value as JsonObject) : {};
    } catch {
      return {};
    }
  },
};

export const statusCodec: Codec<StatusDocument> = {
  encode: ({ optime, slots, retainSlots }) =>
    encodeJson({ optime, slots, retain_slots: retainSlots }),
  decode: (text) => {
    const value = parseExactJson(text);
    const legacy = asLsn(value);
    if (legacy !== undefined) return { optime: legacy };
    const status = asObject(value);
    return {
      optime: asLsn(status['optime']) ?? lsn(0),
      slots: decodeSlots(unwrap(status['slots'])),
      retainSlots: decodeNames(unwrap(status['retain_slots'])),
    };
  },
};

/** Older writers put JSON as text into the JSON. */
const unwrap = (value: ExactJson | undefined): ExactJson | undefined =>
  typeof value === 'string' ? parseExactJson(value) : value;

const decodeSlots = (value: ExactJson | undefined): Readonly<Record<string, Lsn>> | undefined => {
  if (!isObject(value)) return undefined;
  const slots = Object.entries(value).flatMap(([name, position]) => {
    const read = asLsn(position);
    return read === undefined ? [] : [[name, read] as const];
  });
  return Object.fromEntries(slots);
};

const decodeNames = (value: ExactJson | undefined): readonly string[] | undefined =>
  Array.isArray(value)
    ? value.filter((name): name is string => typeof name === 'string')
    : undefined;

/** Patroni 3 writes no `quorum`; nobody in sync is `null`. */
export const syncCodec: Codec<SyncDocument> = {
  encode: ({ leader, quorum, voters }) =>
    encodeJson({
      leader,
      quorum,
      sync_standby: voters.length === 0 ? null : [...voters].sort().join(','),
    }),
  decode: (text) => {
    const sync = asObject(parseExactJson(text));
    const names = (asText(sync['sync_standby']) ?? '').split(',').map((name) => name.trim());
    return {
      leader: asText(sync['leader']) as MemberName | undefined,
      quorum: Math.max(0, asInteger(sync['quorum']) ?? 0),
      voters: names.filter((name) => name !== '') as MemberName[],
    };
  },
};

/** `{}` is no request: the key is never deleted. `leader:candidate` is how it was written once. */
export const failoverCodec: Codec<FailoverDocument> = {
  encode: ({ leader, member, scheduledAt }) =>
    encodeJson({ leader, member, scheduled_at: scheduledAt?.text }),
  decode: (text) => {
    const value = parseExactJson(text);
    if (value === undefined) return decodeOldFailover(text);
    const request = asObject(value);
    return {
      leader: asText(request['leader']) as MemberName | undefined,
      member: asText(request['member']) as MemberName | undefined,
      scheduledAt: decodeTime(request['scheduled_at']),
    };
  },
};

/** Whatever is no time is one that nobody can read: it never means "now". */
const decodeTime = (value: ExactJson | undefined): Schedule | undefined =>
  value === undefined || value === null || value === ''
    ? undefined
    : decodeSchedule(asText(value) ?? encodeJson(value));

const decodeOldFailover = (text: string): FailoverDocument => {
  const parts = text.split(':').map((part) => part.trim());
  // Text with a brace was meant to be JSON and is damaged, so it asks for nothing.
  if (/[{}[\]"]/.test(text) || parts.length > 2) return {};
  return {
    leader: (parts[0] || undefined) as MemberName | undefined,
    member: (parts[1] || undefined) as MemberName | undefined,
  };
};

export const historyCodec: Codec<readonly HistoryEntry[]> = {
  encode: (rows) =>
    encodeJson(
      rows.map(({ timeline, switchLsn, reason, at, leader }) => {
        const row: ExactJson[] = [timeline, switchLsn, reason];
        if (at !== undefined) row.push(at);
        if (at !== undefined && leader !== undefined) row.push(leader);
        return row;
      }),
    ),
  decode: (text) =>
    asList(parseExactJson(text)).flatMap((row): readonly HistoryEntry[] => {
      const [number, position, reason, at, leader] = asList(row);
      const timeline = asInteger(number);
      const switchLsn = asLsn(position);
      if (timeline === undefined || timeline < 1 || switchLsn === undefined) return [];
      return [
        {
          timeline: timeline as Timeline,
          switchLsn,
          reason: asText(reason) ?? '',
          at: asText(at),
          leader: asText(leader) as MemberName | undefined,
        },
      ];
    }),
};
