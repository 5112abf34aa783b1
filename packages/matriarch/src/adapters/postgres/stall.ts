/** How long a program may say nothing: it also syncs a whole data directory without a word. */
export const STALL_LIMIT_MS = 900_000;

/** Aborts when nobody has said for the limit that there is progress. */
export const createStallGuard = (
  limitMs: number = STALL_LIMIT_MS,
): { readonly signal: AbortSignal; progress(): void; end(): void } => {
  const controller = new AbortController();
  let timer = setTimeout(() => controller.abort(), limitMs);
  const restart = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(), limitMs);
  };
  return {
    signal: controller.signal,
    progress: restart,
    end: () => clearTimeout(timer),
  };
};
