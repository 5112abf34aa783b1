import type { Brand } from './brand.ts';

/**
 * A moment on this host's boot clock, in milliseconds. The clock never steps and goes on while the
 * host sleeps. Instants of two hosts must never be compared.
 */
export type Instant = Brand<number, 'Instant'>;

export const instant = (milliseconds: number): Instant => milliseconds as Instant;

export const after = (start: Instant, milliseconds: number): Instant =>
  (start + milliseconds) as Instant;

/** Milliseconds from `earlier` to `later`; negative when they are the other way round. */
export const elapsedMs = (earlier: Instant, later: Instant): number => later - earlier;

export const earliest = (...instants: readonly (Instant | undefined)[]): Instant | undefined => {
  let first: Instant | undefined;
  for (const candidate of instants) {
    if (candidate !== undefined && (first === undefined || candidate < first)) first = candidate;
  }
  return first;
};
