/**
 * Ends what an `up` that was killed has left running. Nobody supervises it any more, so it is not
 * taken over: it is stopped as `up` itself would have, the primary last, and no session or data is
 * lost that a stop would have kept.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { findProxyDaemons } from './proxy-daemons.ts';
import { type ChildRecord, findRunningChildren, forgetChild } from './child-records.ts';
import type { LocalPaths } from './directories.ts';
import { callApi } from './member-api.ts';
import { type LocalPlan, readPlan } from './plan.ts';
import {
  type KnownProcess,
  identify,
  isRunning,
  signalTo,
  withDescendants,
} from './process-tree.ts';
import { STOP_LIMITS_MS } from './stop-limits.ts';

const LOOK_MS = 50;
const ASK_LIMIT_MS = 1_000;
const KILL_LIMIT_MS = 5_000;

export interface EndedLeftovers {
  /** Names of what was still running, in the order in which it was ended. */
  readonly ended: readonly string[];
  /** Process ids that are there all the same. */
  readonly remaining: readonly number[];
}

export const endLeftovers = async (
  paths: LocalPaths,
  limitsMs = STOP_LIMITS_MS,
): Promise<EndedLeftovers> => {
  const found = findRunningChildren(paths.children);
  const family = withDescendants(found.map(({ pid }) => pid)).flatMap((pid) => identify(pid) ?? []);
  const of = (kind: ChildRecord['kind']): ChildRecord[] =>
    found.filter((child) => child.kind === kind);
  await endAll(of('proxy'), limitsMs.proxy);
  const daemons = await findProxyDaemons(paths);
  await endAll(daemons, limitsMs.proxy);
  const primary = await findPrimary(of('member'), readPlan(paths));
  const replicas = of('member').filter((member) => member !== primary);
  await endAll(replicas, limitsMs.member);
  await endAll(primary === undefined ? [] : [primary], limitsMs.member);
  await endAll(of('store'), limitsMs.store);
  await untilGone(family, limitsMs.descendants);
  await killAll(family);
  for (const child of found) forgetChild(paths.children, child);
  const ended = [...of('proxy'), ...daemons, ...replicas, primary, ...of('store')];
  return {
    ended: ended.flatMap((one) => one?.name ?? []),
    remaining: [...family, ...daemons].filter(isRunning).map(({ pid }) => pid),
  };
};

/** SIGTERM to each, SIGKILL to whatever still runs after the limit. */
const endAll = async (known: readonly KnownProcess[], limitMs: number): Promise<void> => {
  for (const one of known) signalTo(one, 'SIGTERM');
  await untilGone(known, limitMs);
  await killAll(known);
};

const killAll = async (known: readonly KnownProcess[]): Promise<void> => {
  for (const one of known) signalTo(one, 'SIGKILL');
  await untilGone(known, KILL_LIMIT_MS);
};

const untilGone = async (known: readonly KnownProcess[], limitMs: number): Promise<void> => {
  const begun = performance.now();
  while (known.some(isRunning) && performance.now() - begun < limitMs) await sleep(LOOK_MS);
};

/** The member that says so itself. */
const findPrimary = async (
  members: readonly ChildRecord[],
  plan: LocalPlan | undefined,
): Promise<ChildRecord | undefined> => {
  const answers = await Promise.all(
    members.map(({ name }) => {
      const url = `http://127.0.0.1:${plan?.members[name]?.rest ?? 0}/primary`;
      return callApi({ method: 'GET', url, limitMs: ASK_LIMIT_MS });
    }),
  );
  return members.find((_, index) => {
    const answer = answers[index];
    return answer?.kind === 'answered' && answer.status === 200;
  });
};
