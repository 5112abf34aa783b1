const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time, or how long ago it was; milliseconds since 1970, undefined for anything else. */
export const parseSince = (text: string, nowMs: number): number | undefined => {
  const [, count, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?(s|m|min|h|d)$/.exec(text.trim()) ?? [];
  if (count !== undefined) return nowMs - Number(count) * (UNITS_MS[unit] ?? 0);
  // Everything JavaScript takes for a date, even "1", is too much.
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
};
