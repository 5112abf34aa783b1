import {
  type Details,
  type ErrorCode,
  type ExactJson,
  type Problem,
  encodeJson,
  errorEntry,
  problem,
  problemBody,
} from '@matriarch/protocol';

/** An answer before it is put on the wire. */
export interface Reply {
  readonly status: number;
  /** Undefined: a status and nothing else. */
  readonly body: string | Buffer | undefined;
  readonly contentType: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

export const bareReply = (status: number): Reply => ({
  status,
  body: undefined,
  contentType: undefined,
  headers: {},
});

/** JSON as Patroni spaces it: checks exist that look for the text `"role": "primary"`. */
export const jsonReply = (status: number, value: ExactJson): Reply => ({
  status,
  body: encodeJson(value, { spaced: true }),
  contentType: 'application/json',
  headers: {},
});

/**
 * The sentences patronictl prints. Patroni calls them HTML; they hold names of members, so that a
 * browser must not take them for that.
 */
export const textReply = (status: number, text: string, headers: Reply['headers'] = {}): Reply => ({
  status,
  body: text,
  contentType: 'text/plain; charset=utf-8',
  headers,
});

/** A page with a fixed sentence, in the place of the one Patroni's web server makes. */
export const pageReply = (status: number, sentence: string): Reply => ({
  status,
  body: [
    '<!DOCTYPE html>',
    '<html><head><title>Error response</title></head>',
    `<body><h1>Error response</h1><p>Error code: ${status}</p><p>${sentence}.</p></body></html>`,
    '',
  ].join('\n'),
  contentType: 'text/html;charset=utf-8',
  headers: {},
});

/** patronictl looks for exactly this sentence to learn that a member cannot do something. */
export const unsupportedReply = (): Reply =>
  pageReply(501, 'Server does not support this operation');

export const problemReply = (found: Problem): Reply =>
  jsonReply(errorEntry(found.code).httpStatus, { ...problemBody(found) });

export const refuse = (code: ErrorCode, message: string, details: Details = {}): Reply =>
  problemReply(problem(code, message, { details }));
