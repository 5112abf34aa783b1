/** Shows who gets WAL over the API, and when: only members, and only while it is offered. */
import { type MemberName, type MemberState, beginVacating, lsn, timeline } from '@matriarch/core';
import { expect, it } from 'vitest';
import { NOW, primaryState } from './testing/build-state.ts';
import { exchange } from './testing/exchange.ts';
import { startApi } from './testing/start-api.ts';

const SEGMENT = '000000010000000000000005';
const PATH = `/matriarch/wal/${SEGMENT}`;
const member = { headers: { authorization: 'a member' } };

/** Its server is dead and silent, and pg2 is offered what it lacks. */
const offering = (changes: Partial<NonNullable<MemberState['vacating']>> = {}): MemberState => ({
  ...primaryState(),
  process: { kind: 'none', silent: true },
  vacating: {
    ...beginVacating('crash', NOW),
    end: { timeline: timeline(1), lsn: lsn(0x5000100) },
    rescue: { to: 'pg2' as MemberName, since: NOW },
    ...changes,
  },
});

it('is given to a member, as it is', async () => {
  const { address } = await startApi(offering());
  const got = await exchange(address, PATH, member);
  expect([got.status, got.body]).toEqual([200, SEGMENT]);
  expect(got.headers['content-type']).toBe('application/octet-stream');
});

it.each([
  ['while the server runs', primaryState()],
  ['while something of it may run', { ...offering(), process: { kind: 'none', silent: false } }],
  ['when nobody is to have it', offering({ rescue: undefined })],
  ['when the server is to start again', offering({ givenUp: true })],
])('is not given %s', async (_when, state) => {
  const { address } = await startApi(state as MemberState);
  expect((await exchange(address, PATH, member)).status).toBe(404);
});

it('is given to nobody else, whatever they ask for', async () => {
  const { address } = await startApi(offering());
  expect((await exchange(address, PATH)).status).toBe(401);
  expect((await exchange(address, `${PATH}.history`, member)).status).toBe(404);
  expect((await exchange(address, '/matriarch/other', member)).status).toBe(404);
});
