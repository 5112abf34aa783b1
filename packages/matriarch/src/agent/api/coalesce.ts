/**
 * One call at a time for many callers. Who arrives while a call is under way shares the one after
 * it, so that no answer is older than its question, and a crowd costs two calls.
 */
export const coalesce = <T>(call: () => Promise<T>): (() => Promise<T>) => {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    const begun = call().finally(() => {
      running = undefined;
    });
    running = begun;
    return begun;
  };
  return () => {
    if (next !== undefined) return next;
    if (running === undefined) return begin();
    const startNext = (): Promise<T> => {
      next = undefined;
      return begin();
    };
    next = running.then(startNext, startNext);
    return next;
  };
};

/** What the promise brings within the limit, else undefined. A late failure is nobody's. */
export const withinLimit = async <T>(
  promise: Promise<T>,
  limitMs: number,
): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
};
