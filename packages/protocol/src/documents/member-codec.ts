import type {
  JobProgress,
  LeaseTerm,
  MemberDocument,
  MemberName,
  Timeline,
  WaiterReport,
  WalOffer,
} from '@matriarch/core';
import { waiterStates } from '@matriarch/core';
import { currentName } from '../aliases/old-names.ts';
import type { ExactJson, ExactJsonObject } from '../json/exact-json.ts';
import { encodeJson, parseExactJson } from '../json/exact-json.ts';
import { asBoolean, asInteger, asLsn, asObject, asText, isObject } from '../json/read-json.ts';
import { MATRIARCH_VERSION, PATRONI_VERSION } from '../version.ts';
import { decodeScheduledRestart, encodeOwnScheduledRestart } from './schedule-codec.ts';
import { decodeTags, encodeTags } from './tags-codec.ts';

/** The field that tells our members from Patroni's, which leave fields they do not know alone. */
export const OUR_FIELD = 'matriarch';

/** The value of `members/<name>`, with Patroni's fields in Patroni's order and ours at the end. */
export const encodeMember = (member: MemberDocument): string =>
  encodeJson({
    conn_url: member.connUrl,
    api_url: member.apiUrl,
    state: member.state,
    role: member.role,
    version: PATRONI_VERSION,
    checkpoint_after_promote: member.checkpointAfterPromote === false ? false : undefined,
    tags: encodeTags(member.tags),
    pause: member.pause === true ? true : undefined,
    pending_restart: member.pendingRestart === true ? true : undefined,
    xlog_location: member.xlogLocation,
    replay_lsn: member.replayLsn,
    receive_lsn: member.receiveLsn,
    replication_state: member.replicationState,
    timeline: member.timeline,
    scheduled_restart: encodeOwnScheduledRestart(member.scheduledRestart),
    [OUR_FIELD]: member.ours
      ? {
          version: MATRIARCH_VERSION,
          vote: member.vote,
          offer: encodeOffer(member.offer),
          job: encodeJob(member.job),
          waiting: encodeWaiting(member.waiting),
        }
      : undefined,
  });

const encodeOffer = (offer: WalOffer | undefined): ExactJsonObject | undefined =>
  offer === undefined
    ? undefined
    : { to: offer.to, timeline: offer.end.timeline, end: offer.end.lsn };

const decodeOffer = (value: ExactJson | undefined): WalOffer | undefined => {
  const offer = asObject(value);
  const to = asText(offer['to']);
  const timeline = asInteger(offer['timeline']);
  const lsn = asLsn(offer['end']);
  if (to === undefined || timeline === undefined || timeline < 1 || lsn === undefined)
    return undefined;
  return { to: to as MemberName, end: { timeline: timeline as Timeline, lsn } };
};

export const encodeJob = (job: JobProgress | undefined): ExactJsonObject | undefined =>
  job === undefined
    ? undefined
    : { kind: job.kind, done_bytes: job.doneBytes, total_bytes: job.totalBytes };

const jobKinds: readonly JobProgress['kind'][] = ['initialise', 'clone', 'rewind'];

export const decodeJob = (value: ExactJson | undefined): JobProgress | undefined => {
  const job = asObject(value);
  const kind = jobKinds.find((known) => known === job['kind']);
  if (kind === undefined) return undefined;
  return {
    kind,
    doneBytes: asInteger(job['done_bytes']),
    totalBytes: asInteger(job['total_bytes']),
  };
};

/** `[{"role": "billing", "state": "waits"}, {"database": "ledger", "state": "missing"}]` */
export const encodeWaiting = (
  waiting: readonly WaiterReport[] | undefined,
): readonly ExactJsonObject[] | undefined =>
  waiting?.map(({ kind, name, state, value }) => ({ [kind]: name, state, value }));

const decodeWaiting = (value: ExactJson | undefined): readonly WaiterReport[] | undefined => {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((item: ExactJson): readonly WaiterReport[] => {
    const entry = asObject(item);
    const role = asText(entry['role']);
    const name = role ?? asText(entry['database']);
    const state = waiterStates.find((known) => known === entry['state']);
    if (name === undefined || state === undefined) return [];
    const kind = role === undefined ? 'database' : 'role';
    return [{ kind, name, state, value: asText(entry['value']) }];
  });
};

/** Any member's document. Text that is no JSON counts as an empty document. */
export const decodeMember = (text: string): MemberDocument => {
  const member = asObject(parseExactJson(text));
  const ours = member[OUR_FIELD];
  const timeline = asInteger(member['timeline']);
  return {
    connUrl: asText(member['conn_url']) ?? '',
    apiUrl: asText(member['api_url']) ?? '',
    state: asText(member['state']) ?? '',
    role: currentName('role', asText(member['role']) ?? ''),
    tags: decodeTags(member['tags']),
    timeline: timeline === undefined || timeline < 1 ? undefined : (timeline as Timeline),
    xlogLocation: asLsn(member['xlog_location']),
    receiveLsn: asLsn(member['receive_lsn']),
    replayLsn: asLsn(member['replay_lsn']),
    replicationState: asText(member['replication_state']),
    pendingRestart: asBoolean(member['pending_restart']),
    scheduledRestart: decodeScheduledRestart(member['scheduled_restart']),
    pause: asBoolean(member['pause']),
    checkpointAfterPromote: asBoolean(member['checkpoint_after_promote']),
    ours: isObject(ours),
    vote: asInteger(asObject(ours)['vote']) as LeaseTerm | undefined,
    offer: decodeOffer(asObject(ours)['offer']),
    job: decodeJob(asObject(ours)['job']),
    waiting: decodeWaiting(asObject(ours)['waiting']),
  };
};
