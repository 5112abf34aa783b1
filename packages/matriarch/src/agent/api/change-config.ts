import type { JsonObject } from '@matriarch/core';
import {
  configRequest,
  formatMistakes,
  judgeConfigChange,
  mergeConfig,
  parseRequest,
} from '@matriarch/protocol';
import type { ApiLog, ApiSource, FilingAnswer } from './api-source.ts';
import type { Call } from './call.ts';
import { type Reply, jsonReply, pageReply, problemReply, refuse } from './reply.ts';

/** `PATCH /config`: files the changed configuration; the members act on it when they read it. */
export const patchConfig = async (
  { source, log }: { readonly source: ApiSource; readonly log: ApiLog },
  call: Call,
): Promise<Reply> => {
  const body = await call.readBody();
  if (body.kind === 'refused') return body.reply;
  const parsed = parseRequest(configRequest, body.text);
  if (!parsed.ok) return problemReply(parsed.problem);
  const change = parsed.value as JsonObject;
  if (Object.keys(change).length === 0) return refuse('request-invalid', 'the body is empty');
  const read = await source.readDocuments();
  if (read.kind !== 'done')
    return refuse('store-unreachable', `the store did not answer: ${read.cause}`);
  const stored = read.snapshot.config;
  if (stored === undefined)
    return refuse('cluster-has-no-primary', 'the cluster has no configuration yet');
  const changed = mergeConfig(stored.value, change);
  const { mistakes } = judgeConfigChange(stored.value, changed);
  if (mistakes.length > 0) return refuse('configuration-invalid', formatMistakes(mistakes));
  log.info({ keys: Object.keys(change), client: call.client }, 'configuration change requested');
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
