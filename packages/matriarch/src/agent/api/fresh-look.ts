import type { MemberState, Seen, ServerProbe } from '@matriarch/core';
import { FRESH_LOOK_LIMIT_MS } from './api-limits.ts';
import type { ApiSource } from './api-source.ts';
import { coalesce, withinLimit } from './coalesce.ts';

interface Look extends Seen<ServerProbe> {
  /** Whom it was a look at. */
  readonly pid: number;
}

const pidOf = ({ process }: MemberState): number | undefined =>
  process.kind === 'running' ? process.pid : undefined;

/**
 * What the loop knows, with a look at the server taken for whoever asks. When that look brings
 * nothing in time, or the postmaster is another one by then, the loop's last facts have to do.
 */
export const createFreshLook = (source: ApiSource): (() => Promise<MemberState>) => {
  const probe = coalesce(async (): Promise<Look | undefined> => {
    const pid = pidOf(source.state());
    if (pid === undefined) return undefined;
    const at = source.now();
    return { pid, at, value: await source.probe(FRESH_LOOK_LIMIT_MS) };
  });
  return async () => {
    const isThere = pidOf(source.state()) !== undefined;
    const look = isThere ? await withinLimit(probe(), FRESH_LOOK_LIMIT_MS) : undefined;
    const state = source.state();
    if (look === undefined || look.pid !== pidOf(state)) return state;
    const isNewer = state.probe === undefined || look.at >= state.probe.at;
    return isNewer && look.value.kind !== 'no-answer' ? { ...state, probe: look } : state;
  };
};
