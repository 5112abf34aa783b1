import type { Json, JsonObject } from '@matriarch/core';
import { configRequest, derivePolicy, formatMistakes, parseRequest } from '@matriarch/protocol';
import type { ApiLog, ApiSource, FilingAnswer } from './api-source.ts';
import type { Call } from './call.ts';
import { type Reply, jsonReply, pageReply, problemReply, refuse } from './reply.ts';

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A part laid over a whole: null removes a key, objects are merged, anything else replaces. */
export const mergeConfig = (whole: JsonObject, part: JsonObject): JsonObject => {
  const merged = new Map(Object.entries(whole));
  for (const [key, value] of Object.entries(part)) {
    if (value === null) {
      merged.delete(key);
      continue;
    }
    const before = merged.get(key);
    merged.set(key, isObject(value) ? mergeConfig(isObject(before) ? before : {}, value) : value);
  }
  return Object.fromEntries(merged);
};

/** Only what the change itself makes wrong is refused: old mistakes are not its own. */
const whyWrong = (before: JsonObject, after: JsonObject): string | undefined => {
  const known = new Set(derivePolicy(before).mistakes.map((mistake) => formatMistakes([mistake])));
  const added = derivePolicy(after).mistakes.filter(
    (mistake) => !known.has(formatMistakes([mistake])),
  );
  return added.length === 0 ? undefined : formatMistakes(added);
};

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
  const wrong = whyWrong(stored.value, changed);
  if (wrong !== undefined) return refuse('configuration-invalid', wrong);
  log.info({ keys: Object.keys(change), client: call.client }, 'configuration change requested');
  if (JSON.stringify(changed) === JSON.stringify(stored.value)) return jsonReply(200, changed);
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
