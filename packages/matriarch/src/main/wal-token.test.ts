/** Shows whose requests for WAL are believed to come from a member of the cluster. */
import { expect, it } from 'vitest';
import { isWalToken, makeWalToken } from './wal-token.ts';

const PATH = '/matriarch/wal/000000010000000000000001';
const SECRET = 'replication password';

it('whoever knows the replication password is believed, for the path it asked for', () => {
  const token = makeWalToken(SECRET, PATH);
  expect(isWalToken(SECRET, PATH, token)).toBe(true);
  expect(isWalToken(SECRET, `${PATH}0`, token)).toBe(false);
  expect(token).not.toContain(SECRET);
});

it.each([
  ['nothing', undefined],
  ['an empty header', ''],
  ['the password itself', `Basic ${Buffer.from(`replicator:${SECRET}`).toString('base64')}`],
  ['another password', makeWalToken('another one', PATH)],
  ['a token that is cut short', makeWalToken(SECRET, PATH).slice(0, -1)],
  ['a token with something behind it', `${makeWalToken(SECRET, PATH)} `],
])('%s is not', (_what, header) => {
  expect(isWalToken(SECRET, PATH, header)).toBe(false);
});

it('where there is no password, nobody is', () => {
  expect(isWalToken(undefined, PATH, makeWalToken(undefined, PATH))).toBe(false);
  expect(isWalToken('', PATH, makeWalToken('', PATH))).toBe(false);
});
