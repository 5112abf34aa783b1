import type { Schedule } from '@matriarch/core';
import { parseSchedule } from '@matriarch/protocol';
import { type Reply, textReply } from './reply.ts';

/** A time at which something is to happen, or why it is none, in Patroni's sentences. */
export const judgeSchedule = (
  text: string,
  what: 'restart' | 'switchover',
  wallClockMs: number,
): Schedule | Reply => {
  const parsed = parseSchedule(text);
  switch (parsed.kind) {
    case 'no-time-zone':
      return textReply(400, `Timezone information is mandatory for the scheduled ${what}`);
    case 'unreadable':
      return textReply(
        422,
        'Unable to parse scheduled timestamp. ' +
          'It should be in an unambiguous format, e.g. ISO 8601',
      );
    case 'at':
      return parsed.at < wallClockMs
        ? textReply(422, `Cannot schedule ${what} in the past`)
        : { text: parsed.text, at: parsed.at };
  }
};
