/** What the store holds, kept fresh by its watch, for whoever only looks on. */
import type { StoreSnapshot } from '@matriarch/core';
import type { KeyValueStore, StoreResult } from '../agent/ports/key-value-store.ts';

/** The watch is silent while nothing changes; the holder's status changes with every loop. */
const LOOK_INTERVAL_MS = 2_000;
/** What was read longer ago is not acted on. */
const TOO_OLD_MS = 10_000;
const RETRY_MS = 250;

export interface SnapshotSource {
  current(): StoreSnapshot | undefined;
  onChange(changed: () => void): { close(): void };
  close(): void;
}

export interface SnapshotSourceParts {
  readonly store: KeyValueStore;
  readonly prefix: string;
  readonly read: () => Promise<StoreResult<{ snapshot: StoreSnapshot }>>;
}

export const createSnapshotSource = ({
  store,
  prefix,
  read,
}: SnapshotSourceParts): SnapshotSource => {
  const listeners = new Set<() => void>();
  let snapshot: StoreSnapshot | undefined;
  let readAt = 0;
  let reading = false;
  let again = false;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  /** Reading never rejects, and listeners do not throw. */
  const begin = (): void => {
    look().catch(() => undefined);
  };
  const look = async (): Promise<void> => {
    if (closed) return;
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    clearTimeout(timer);
    const begun = performance.now();
    const answer = await read();
    reading = false;
    if (closed) return;
    if (answer.kind === 'done') {
      const changed = snapshot?.revision !== answer.snapshot.revision;
      ({ snapshot } = answer);
      readAt = begun;
      if (changed) for (const listener of listeners) listener();
    }
    if (again) {
      again = false;
      await look();
      return;
    }
    timer = setTimeout(begin, answer.kind === 'done' ? LOOK_INTERVAL_MS : RETRY_MS);
  };
  const watch = store.watchPrefix(prefix, begin);
  begin();

  return {
    current: () => (performance.now() - readAt < TOO_OLD_MS ? snapshot : undefined),
    onChange: (changed) => {
      listeners.add(changed);
      return { close: () => listeners.delete(changed) };
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      watch.close();
    },
  };
};
