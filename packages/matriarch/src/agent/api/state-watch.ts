import type { MemberState } from '@matriarch/core';
import type { StateWatch } from './api-source.ts';

export interface StateWatchers {
  /** To be told of every new state. */
  readonly notify: (state: MemberState) => void;
  /** As `ApiSource.watchState`. */
  readonly watch: (
    satisfies: (state: MemberState) => boolean,
    watch: StateWatch,
  ) => Promise<MemberState | undefined>;
}

/** Waiting for a state: whoever owns the loop tells of each one, whoever waits is woken by it. */
export const createStateWatchers = (present: () => MemberState): StateWatchers => {
  const watchers = new Set<(state: MemberState) => void>();
  return {
    notify: (state) => {
      for (const watcher of watchers) watcher(state);
    },
    watch: (satisfies, { limitMs, signal }) =>
      new Promise((resolve) => {
        const end = (state: MemberState | undefined): void => {
          clearTimeout(timer);
          watchers.delete(look);
          signal.removeEventListener('abort', leave);
          resolve(state);
        };
        const look = (state: MemberState): void => {
          if (satisfies(state)) end(state);
        };
        const leave = (): void => end(undefined);
        const timer = setTimeout(leave, limitMs);
        signal.addEventListener('abort', leave);
        watchers.add(look);
        if (signal.aborted) leave();
        else look(present());
      }),
  };
};
