import type {
  Ancestor,
  KnownPosition,
  LeaseTerm,
  Lineage,
  MemberName,
  PeerAnswer,
  Timeline,
} from '@matriarch/core';
import { knownPosition, lsn, maxLsn, unknownPosition } from '@matriarch/core';
import { currentName } from '../aliases/old-names.ts';
import { OUR_FIELD } from '../documents/member-codec.ts';
import { decodeTags } from '../documents/tags-codec.ts';
import type { ExactJson, ExactJsonObject } from '../json/exact-json.ts';
import { parseExactJson } from '../json/exact-json.ts';
import {
  asBoolean,
  asInteger,
  asList,
  asLsn,
  asObject,
  asText,
  isObject,
} from '../json/read-json.ts';

const asTimeline = (value: ExactJson | undefined): Timeline | undefined => {
  const number = asInteger(value);
  return number === undefined || number < 1 ? undefined : (number as Timeline);
};

/**
 * Reads what a member answers to `GET /patroni`: one of ours, or a Patroni of any version. Text is
 * read with exact integers; a document that was parsed elsewhere is taken as it is. A Patroni that
 * shows no position counts as unreachable, as it does for Patroni.
 */
export const parsePeerStatus = (answer: unknown): PeerAnswer => {
  const document = typeof answer === 'string' ? parseExactJson(answer) : (answer as ExactJson);
  if (!isObject(document)) return { kind: 'no-answer', cause: 'the answer is no JSON object' };
  const ours = isObject(document[OUR_FIELD]) ? document[OUR_FIELD] : undefined;
  const wal = document['xlog'] ?? document['wal'];
  if (!isObject(wal) && ours === undefined) {
    return { kind: 'no-answer', cause: 'the answer shows no WAL position' };
  }
  const role = currentName('role', asText(document['role']) ?? '');
  const location = asLsn(asObject(wal)['location']) ?? lsn(0);
  const running = asBoolean(ours?.['running']) ?? document['state'] === 'running';
  return {
    kind: 'answers',
    running,
    // A stopped server may still be called primary; ours say what it can be.
    primary:
      asBoolean(ours?.['primary']) ?? (location > 0n || role === 'primary' || role === 'promoted'),
    position: readPosition(document, asObject(wal), ours),
    lineage: ours === undefined ? undefined : readLineage(document, ours),
    streaming: running ? document['replication_state'] === 'streaming' : undefined,
    tags: decodeTags(document['tags']),
    vote: asInteger(ours?.['vote']) as LeaseTerm | undefined,
    promisedTo: asText(ours?.['promised_to']) as MemberName | undefined,
    electable:
      ours === undefined
        ? running &&
          asBoolean(document['pause']) !== true &&
          asBoolean(document['watchdog_failed']) !== true
        : asBoolean(ours['electable']) === true,
  };
};

const readPosition = (
  document: ExactJsonObject,
  wal: ExactJsonObject,
  ours: ExactJsonObject | undefined,
): KnownPosition => {
  if (ours !== undefined && asBoolean(ours['position_known']) !== true) return unknownPosition;
  const [measuredTimeline, measuredLsn] = asList(ours?.['position']);
  const timeline = asTimeline(document['timeline']) ?? asTimeline(measuredTimeline);
  const highest = maxLsn(
    asLsn(wal['location']) ?? lsn(0),
    asLsn(wal['received_location']) ?? lsn(0),
    asLsn(wal['replayed_location']) ?? lsn(0),
    asLsn(measuredLsn) ?? lsn(0),
  );
  if (timeline === undefined || highest === 0n) return unknownPosition;
  return knownPosition({ timeline, lsn: highest });
};

/** `[[1, 67112072], …]`: every ancestor of the server's timeline with where it was left. */
const readLineage = (document: ExactJsonObject, ours: ExactJsonObject): Lineage | undefined => {
  const timeline =
    asTimeline(ours['timeline']) ??
    asTimeline(document['timeline']) ??
    asTimeline(asList(ours['position'])[0]);
  if (timeline === undefined || !Array.isArray(ours['lineage'])) return undefined;
  const ancestors: Ancestor[] = [];
  for (const row of asList(ours['lineage'])) {
    const [number, position] = asList(row);
    const ancestor = asTimeline(number);
    const switchLsn = asLsn(position);
    // A lineage with a hole would tell a fork where there is none, so it counts as not known.
    if (ancestor === undefined || switchLsn === undefined) return undefined;
    ancestors.push({ timeline: ancestor, switchLsn });
  }
  return { timeline, ancestors };
};
