/** `GET /matriarch/journal`: whose it is, what it holds, and what is left out. */
import { describe, expect, it } from 'vitest';
import { buildState } from './testing/build-state.ts';
import { exchange } from './testing/exchange.ts';
import { startApi } from './testing/start-api.ts';

const line = (at: string): string => JSON.stringify({ at, event: 'server.exited' });
const EARLY = line('2026-11-23T08:00:00.000Z');
const LATE = line('2026-11-23T08:20:00.000Z');

const ask = async (query = '', complete = true) => {
  const { address, source } = await startApi();
  source.journal = [EARLY, LATE];
  source.isJournalComplete = complete;
  const answer = await exchange(address, `/matriarch/journal${query}`);
  const [head = '{}', ...lines] = answer.body.trimEnd().split('\n');
  return { ...answer, head: JSON.parse(head) as Record<string, unknown>, lines };
};

describe('the journal', () => {
  it('begins with whose it is and what its clocks show', async () => {
    const { status, headers, head, lines } = await ask();
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/x-ndjson');
    expect(head).toMatchObject({
      member: buildState().self.name,
      at: '2026-11-23T08:30:00.000Z',
      clock: expect.any(Number),
      complete: true,
    });
    expect(lines).toEqual([EARLY, LATE]);
  });

  it('can be asked for from a time on', async () => {
    const { lines, head } = await ask('?since=2026-11-23T09:10:00%2B01:00', false);
    expect(lines).toEqual([LATE]);
    // It goes back further than what was asked for.
    expect(head['complete']).toBe(true);
  });

  it('says when older lines are left out', async () => {
    expect((await ask('', false)).head['complete']).toBe(false);
    expect((await ask('?since=2026-11-01', false)).head['complete']).toBe(false);
  });

  it('refuses what is no time', async () => {
    const { status, body } = await ask('?since=yesterday');
    expect(status).toBe(400);
    expect(body).toContain('since is a time');
  });

  it('is the only page below /matriarch', async () => {
    const { address } = await startApi();
    expect((await exchange(address, '/matriarch/secrets')).status).toBe(404);
  });
});
