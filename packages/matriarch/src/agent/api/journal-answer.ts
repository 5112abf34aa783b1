/** `GET /matriarch/journal`: what this member saw, decided and did, for `matriarch explain`. */
import type { ApiSource } from './api-source.ts';
import type { Handler } from './call.ts';
import { coalesce } from './coalesce.ts';
import { type Reply, bareReply, refuse } from './reply.ts';

const JSON_LINES = 'application/x-ndjson';

/**
 * Lines of JSON. The first says whose they are, what its clocks show, and whether older ones that
 * were asked for are left out; `since` is a time as ISO 8601 writes it.
 */
export const createJournalHandler = (source: ApiSource): Handler => {
  // Reading is cheap but not free: however many ask for everything, one reads at a time.
  const readAll = coalesce(() => source.readJournal());
  return async ({ path, query }): Promise<Reply> => {
    if (path !== '/matriarch/journal') return refuse('path-unknown', `there is no ${path}`);
    const asked = query.get('since');
    const sinceMs = asked === null ? undefined : Date.parse(asked);
    if (Number.isNaN(sinceMs))
      return refuse('request-invalid', 'since is a time such as 2026-01-31T12:00:00Z');
    const { lines, complete } = await readAll();
    const since = sinceMs === undefined ? undefined : new Date(sinceMs).toISOString();
    const told = since === undefined ? lines : lines.filter((line) => timeIn(line) >= since);
    const { self } = source.state();
    const head = {
      member: self.name,
      at: new Date(source.wallClockMs()).toISOString(),
      clock: source.now(),
      host: self.life.host,
      complete: complete || told.length < lines.length,
    };
    const body = `${[JSON.stringify(head), ...told].join('\n')}\n`;
    return { ...bareReply(200), body, contentType: JSON_LINES };
  };
};

/** Every line begins with its time. */
const timeIn = (line: string): string => line.slice(AT.length, AT.length + ISO_LENGTH);
const AT = '{"at":"';
const ISO_LENGTH = '2026-01-31T12:00:00.000Z'.length;
