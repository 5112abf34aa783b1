export type Schedule =
  | { readonly kind: 'at'; readonly epochMs: number }
  | { readonly kind: 'no-time-zone' }
  | { readonly kind: 'unreadable' };

const ISO_TIME = new RegExp(
  [
    /^\s*(\d{4}-\d{2}-\d{2})/, // date
    /[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)/, // time
    /\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?\s*$/, // zone
  ]
    .map(({ source }) => source)
    .join(''),
  'i',
);

/**
 * Reads ISO 8601, with a space for the `T` if one likes. Without a time zone it would mean another
 * moment on every host.
 */
export const parseSchedule = (text: string): Schedule => {
  const match = ISO_TIME.exec(text);
  if (match === null) return { kind: 'unreadable' };
  const [, date = '', time = '', zone] = match;
  const epochMs = Date.parse(`${date}T${time}${offsetOf(zone)}`);
  if (Number.isNaN(epochMs)) return { kind: 'unreadable' };
  if (zone === undefined) return { kind: 'no-time-zone' };
  return { kind: 'at', epochMs };
};

const offsetOf = (zone: string | undefined): string => {
  if (zone === undefined || /^(?:z|utc)$/i.test(zone)) return 'Z';
  const [, sign = '+', hours = '00', minutes = '00'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  return `${sign}${hours}:${minutes}`;
};
