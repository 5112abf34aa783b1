import { type StoreSnapshot, isPauseOn } from '@matriarch/core';
import { parseSchedule } from '@matriarch/protocol';

/** When something is to happen: now, at a time as the API takes it, or it cannot be read. */
export type Scheduled =
  | { readonly kind: 'now' }
  | { readonly kind: 'at'; readonly text: string }
  | { readonly kind: 'wrong'; readonly message: string };

/** Why the cluster takes nothing for later now; undefined: it does. */
export const whyNothingLater = ({ config }: StoreSnapshot): string | undefined =>
  isPauseOn(config?.value)
    ? 'the cluster is paused: nothing can be scheduled before `matriarch resume`'
    : undefined;

const pad = (value: number): string => String(value).padStart(2, '0');

/** What the clocks of this place are ahead by at that time, which is one of this place. */
const localOffset = (text: string): string => {
  const minutes = -new Date(text.trim().replace(' ', 'T')).getTimezoneOffset();
  const whole = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(whole / 60))}:${pad(whole % 60)}`;
};

/** `--scheduled`, patronictl's: `now`, or a time. Without a time zone it is one of this place. */
export const parseScheduled = (text: string | undefined, nowMs: number): Scheduled => {
  if (text === undefined || text === 'now') return { kind: 'now' };
  const said = parseSchedule(text);
  const parsed =
    said.kind === 'no-time-zone' ? parseSchedule(`${text.trim()}${localOffset(text)}`) : said;
  if (parsed.kind !== 'at')
    return {
      kind: 'wrong',
      message:
        '--scheduled is a time such as 2030-01-31T03:00 or 2030-01-31T03:00+01:00, ' +
        `not "${text}"`,
    };
  return parsed.at < nowMs
    ? { kind: 'wrong', message: `--scheduled ${parsed.text} is in the past` }
    : { kind: 'at', text: parsed.text };
};
