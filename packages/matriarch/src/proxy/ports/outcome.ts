/**
 * What a call to HAProxy or PgBouncer answers. A call that `failed` may have had its effect when
 * the answer was lost. That is no third case here: every change may be repeated.
 */
export type PortOutcome<T = Record<never, never>> =
  | ({ readonly kind: 'done' } & T)
  | { readonly kind: 'failed'; readonly cause: string };
