import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** PostgreSQL's own default of rounds, and its length of salts. */
const ITERATIONS = 4_096;
export const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** RFC 4013, Tables C.1.2 and B.1 of RFC 3454: spaces of any kind, and what is not shown at all. */
const OTHER_SPACES = /[\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]/g;
const SHOWN_AS_NOTHING =
  /\u00AD|\u034F|\u1806|[\u180B-\u180D]|[\u200B-\u200D]|\u2060|[\uFE00-\uFE0F]|\uFEFF/gu;
const FORBIDDEN = /[\p{Cc}\p{Co}\p{Cs}\p{Cn}\u2028\u2029\uFFF9-\uFFFD]/u;

/** SASLprep as PostgreSQL does it: a password it does not allow is taken as it is. */
const prepare = (password: string): string => {
  const prepared = password
    .replace(OTHER_SPACES, ' ')
    .replace(SHOWN_AS_NOTHING, '')
    .normalize('NFKC');
  return prepared === '' || FORBIDDEN.test(prepared) ? password : prepared;
};

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * What PostgreSQL stores for a password (`SCRAM-SHA-256$…`, RFC 5803). Given to CREATE ROLE in
 * place of the password, so that the password itself can get into no log and no view of statements.
 */
export const scramVerifier = (password: string, salt: Buffer): string => {
  const salted = pbkdf2Sync(prepare(password), salt, ITERATIONS, KEY_BYTES, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = hmac(salted, 'Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
};
