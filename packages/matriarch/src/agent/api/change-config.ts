import type { JsonObject } from '@matriarch/core';
import {
  configRequest,
  formatMistakes,
  judgeConfigChange,
  mergeConfig,
  parseRequest,
  replaceConfig,
} from '@matriarch/protocol';
import type { ApiLog, ApiSource, FilingAnswer } from './api-source.ts';
import type { Call } from './call.ts';
import { type Reply, jsonReply, pageReply, problemReply, refuse } from './reply.ts';

interface Parts {
  readonly source: ApiSource;
  readonly log: ApiLog;
}

/** What becomes of the stored document with what was sent; itself when nothing changes. */
type Change = (stored: JsonObject, sent: JsonObject) => JsonObject;

/** `PATCH /config`: lays what was sent over the configuration. */
export const patchConfig = (parts: Parts, call: Call): Promise<Reply> =>
  changeConfig(parts, call, mergeConfig);

/** `PUT /config`: puts what was sent in its place. What is 503 for PATCH is Patroni's 502. */
export const putConfig = async (parts: Parts, call: Call): Promise<Reply> => {
  const reply = await changeConfig(parts, call, replaceConfig);
  return reply.status === 503 ? { ...reply, status: 502 } : reply;
};

/** Files the changed configuration; the members act on it when they read it. */
const changeConfig = async ({ source, log }: Parts, call: Call, change: Change): Promise<Reply> => {
  const body = await call.readBody();
  if (body.kind === 'refused') return body.reply;
  const parsed = parseRequest(configRequest, body.text);
  if (!parsed.ok) return problemReply(parsed.problem);
  const sent = parsed.value as JsonObject;
  if (Object.keys(sent).length === 0) return refuse('request-invalid', 'the body is empty');
  const read = await source.readDocuments();
  if (read.kind !== 'done')
    return refuse('store-unreachable', `the store did not answer: ${read.cause}`);
  const stored = read.snapshot.config;
  if (stored === undefined)
    return refuse('cluster-has-no-primary', 'the cluster has no configuration yet');
  const changed = change(stored.value, sent);
  const { mistakes } = judgeConfigChange(stored.value, changed);
  if (mistakes.length > 0) return refuse('configuration-invalid', formatMistakes(mistakes));
  const { method, client } = call;
  log.info({ method, keys: Object.keys(sent), client }, 'configuration change requested');
  if (changed === stored.value) return jsonReply(200, changed);
  return replyTo(await source.fileConfig(changed, stored.modRevision), changed);
};

const replyTo = (filed: FilingAnswer, changed: JsonObject): Reply => {
  switch (filed.kind) {
    case 'filed':
      return jsonReply(200, changed);
    case 'changed':
      return pageReply(409, 'The configuration was changed meanwhile');
    case 'failed':
      return refuse('store-unreachable', `the store did not answer: ${filed.cause}`);
    case 'unknown':
      return refuse('store-outcome-unknown', `the store did not confirm it: ${filed.cause}`);
  }
};
