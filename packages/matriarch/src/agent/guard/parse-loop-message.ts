import type { LoopMessage } from '@matriarch/core';

type Fields = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === 'string';
/** A negative pid would mean a group of processes. */
const isPid = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isMode = (value: unknown): boolean => value === 'fast' || value === 'immediate';

const isLaunch = (value: unknown): boolean =>
  isFields(value) &&
  isText(value['command']) &&
  Array.isArray(value['arguments']) &&
  value['arguments'].every(isText) &&
  isFields(value['environment']) &&
  Object.values(value['environment']).every(isText) &&
  isText(value['dataDirectory']) &&
  isText(value['logFile']) &&
  (value['user'] === undefined || isUser(value['user']));

const isUser = (value: unknown): boolean =>
  isFields(value) && isNumber(value['uid']) && isNumber(value['gid']);

/** Complete by type: a new kind of message needs a line here. */
const CHECKS: Readonly<Record<LoopMessage['kind'], (fields: Fields) => boolean>> = {
  beat: () => true,
  extend: (fields) => isNumber(fields['deadline']) && isText(fields['leaseId']),
  suspend: (fields) => typeof fields['on'] === 'boolean' && isText(fields['leaseId']),
  start: (fields) =>
    ['primary', 'standby', 'private'].includes(String(fields['as'])) && isLaunch(fields['launch']),
  adopt: (fields) => isPid(fields['pid']) && isText(fields['dataDirectory']),
  stop: (fields) => isMode(fields['mode']) && isNumber(fields['limitMs']),
  fence: (fields) => isText(fields['dataDirectory']),
  promote: () => true,
  reload: () => true,
  leave: (fields) => isNumber(fields['status']),
};

const isKind = (kind: unknown): kind is LoopMessage['kind'] =>
  isText(kind) && Object.hasOwn(CHECKS, kind);

/** Undefined for what is no message of a loop. */
export const parseLoopMessage = (value: unknown): LoopMessage | undefined => {
  if (!isFields(value) || !isKind(value['kind'])) return undefined;
  const { kind } = value;
  if (kind !== 'beat' && !isNumber(value['id'])) return undefined;
  return CHECKS[kind](value) ? (value as unknown as LoopMessage) : undefined;
};
