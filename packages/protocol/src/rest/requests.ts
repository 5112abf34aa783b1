import type { LeaseTerm } from '@matriarch/core';
import { z } from 'zod';
import { OUR_FIELD } from '../documents/member-codec.ts';
import type { Problem } from '../errors/problem.ts';
import { problem } from '../errors/problem.ts';

/** More than any real request has; the API refuses longer bodies before it reads them. */
export const REQUEST_BODY_LIMIT_BYTES = 1_048_576;

/** Empty text is how some clients say "not given". */
const optionalText = z
  .string()
  .nullish()
  .transform((text) => text || undefined);

const optionalBoolean = z
  .union([z.boolean(), z.string().regex(/^(true|false|on|off|yes|no|1|0)$/i)])
  .nullish()
  .transform((value) => {
    if (value === null || value === undefined) return undefined;
    return typeof value === 'boolean' ? value : /^(true|on|yes|1)$/i.test(value);
  });

/** `member` is the older name of `candidate`, which wins when both are given. */
const candidateFields = { leader: optionalText, candidate: optionalText, member: optionalText };

const withCandidate = <T extends { candidate?: string | undefined; member?: string | undefined }>({
  member,
  ...body
}: T): Omit<T, 'member'> & { candidate: string | undefined } => ({
  ...body,
  candidate: body.candidate ?? member,
});

/** `POST /switchover` */
export const switchoverRequest = z
  .object({ ...candidateFields, scheduled_at: optionalText })
  .transform(withCandidate);

/** `POST /failover`: with `leader` it is treated as a switchover. */
export const failoverRequest = z
  .object({ ...candidateFields, scheduled_at: optionalText })
  .transform(withCandidate);

/** `POST /reinitialize` */
export const reinitializeRequest = z.object({
  force: optionalBoolean,
  from_leader: optionalBoolean,
});

/** Longest promise a member gives: so long nobody is elected, whatever happens to the primary. */
const PROMISE_MS_MAX = 3_600_000;

/** `POST /failsafe`, from a primary that has lost the store. LSNs by slot. Ours say more. */
export const failsafeRequest = z.object({
  name: z.string().min(1),
  conn_url: z.string(),
  api_url: z.string(),
  slots: z.record(z.string(), z.number()).nullish(),
  [OUR_FIELD]: z
    .object({
      term: z.int().positive(),
      ttl_ms: z.int().min(1_000).max(PROMISE_MS_MAX),
    })
    .nullish(),
});

/** What a primary of ours asks for; undefined: Patroni does not say. */
export const readPromiseTerms = ({
  [OUR_FIELD]: ours,
}: FailsafeRequest): {
  readonly term: LeaseTerm | undefined;
  readonly ttlMs: number | undefined;
} => ({
  term: ours?.term as LeaseTerm | undefined,
  ttlMs: ours?.ttl_ms,
});

export const renderFailsafeRequest = (asked: {
  readonly name: string;
  readonly connUrl: string;
  readonly apiUrl: string;
  readonly term: LeaseTerm;
  readonly ttlMs: number;
}): string =>
  JSON.stringify({
    name: asked.name,
    conn_url: asked.connUrl,
    api_url: asked.apiUrl,
    [OUR_FIELD]: { term: asked.term, ttl_ms: asked.ttlMs },
  });

/** `PATCH /config` and `PUT /config`: a null removes its key, or leaves it out. */
export const configRequest = z.record(z.string(), z.json());

export type SwitchoverRequest = z.output<typeof switchoverRequest>;
export type FailoverRequest = z.output<typeof failoverRequest>;
export type ReinitializeRequest = z.output<typeof reinitializeRequest>;
export type FailsafeRequest = z.output<typeof failsafeRequest>;
export type ConfigRequest = z.output<typeof configRequest>;

export type ParsedRequest<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

/**
 * Reads the body of a request. An absent body counts as `{}` only where it is optional. Never
 * throws; the problem names every field that is wrong, and no values.
 */
export const parseRequest = <T>(
  schema: z.ZodType<T>,
  text: string,
  more: { readonly isOptional?: boolean } = {},
): ParsedRequest<T> => {
  const refuse = (message: string): ParsedRequest<T> => ({
    ok: false,
    problem: problem('request-invalid', message),
  });
  if (text.trim() === '' && more.isOptional !== true) return refuse('the body is empty');
  let body: unknown;
  try {
    body = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    return refuse('the body is not JSON');
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return { ok: true, value: parsed.data };
  const faults = parsed.error.issues.map(({ path, message }) => {
    const field = path.map(String).join('.');
    return field === '' ? message : `${field}: ${message}`;
  });
  return refuse(`the body is not valid: ${faults.join('; ')}`);
};
