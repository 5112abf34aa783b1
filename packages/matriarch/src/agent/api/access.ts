import { createHash, timingSafeEqual } from 'node:crypto';
import type { Call } from './call.ts';
import { type Reply, textReply } from './reply.ts';

export interface AccessRules {
  /** Undefined: everybody who reaches the API may change things, as in Patroni. */
  readonly authentication: { readonly username: string; readonly password: string } | undefined;
  /** Changes need a client certificate. */
  readonly requiresCertificate: boolean;
}

/** Why a call may not change anything; undefined: it may. */
export const checkAccess = (rules: AccessRules, call: Call): Reply | undefined => {
  if (rules.requiresCertificate && !call.hasCertificate)
    return textReply(403, 'client certificate required');
  const { authentication } = rules;
  if (authentication === undefined) return undefined;
  if (call.authorization === undefined) return unauthorized('no auth header received');
  const { username, password } = authentication;
  return isSameSecret(credentialsIn(call.authorization), `${username}:${password}`)
    ? undefined
    : unauthorized('not authenticated');
};

const unauthorized = (text: string): Reply =>
  textReply(401, text, { 'WWW-Authenticate': 'Basic realm="Patroni"' });

/** `name:password` of basic authentication; empty for anything else. */
const credentialsIn = (header: string): string => {
  const encoded = /^basic\s+(\S+)\s*$/i.exec(header)?.[1] ?? '';
  return Buffer.from(encoded, 'base64').toString('utf8');
};

const digestOf = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** Takes the same time wherever the difference is, and whatever the lengths are. */
const isSameSecret = (given: string, expected: string): boolean =>
  timingSafeEqual(digestOf(given), digestOf(expected));
