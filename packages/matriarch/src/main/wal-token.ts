import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * How members prove to each other that they belong together: all of them know the password of the
 * replication role, and whoever knows it may read the cluster's WAL anyway. It is never sent.
 */
const SCHEME = 'Matriarch';

const sign = (secret: string, text: string): string =>
  createHmac('sha256', secret).update(text, 'utf8').digest('hex');

/** Without a password nobody can prove anything, and no WAL is given out. */
export type WalSecret = string | undefined;

/** The value of an `Authorization` header for one path. */
export const makeWalToken = (secret: WalSecret, path: string): string => {
  const nonce = randomBytes(12).toString('hex');
  return `${SCHEME} ${nonce}.${sign(secret ?? '', `${nonce} ${path}`)}`;
};

export const isWalToken = (
  secret: WalSecret,
  path: string,
  header: string | undefined,
): boolean => {
  if (secret === undefined || secret === '') return false;
  const match = /^Matriarch ([0-9a-f]{24})\.([0-9a-f]{64})$/.exec(header ?? '');
  if (match === null) return false;
  const expected = Buffer.from(sign(secret, `${match[1] ?? ''} ${path}`), 'utf8');
  return timingSafeEqual(Buffer.from(match[2] ?? '', 'utf8'), expected);
};
