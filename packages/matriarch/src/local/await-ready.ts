/** Waits for a cluster that has just been started, and tells how it comes along. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreSnapshot } from '@matriarch/core';
import { readClusterSettings } from '@matriarch/protocol';
import { isReady } from './ready.ts';
import type { RunningUp } from './running-up.ts';

/** How long a new cluster may take to have a primary and all its replicas. */
const READY_LIMIT_MS = 120_000;
const LOOK_MS = 200;
/** An etcd that is just starting refuses everybody; later on it is said why it does not answer. */
const STORE_PATIENCE_MS = 8_000;

/** Tells what happens on the way; false when it takes too long, or is stopped meanwhile. */
export const awaitReady = async (
  up: Pick<RunningUp, 'config' | 'snapshot' | 'storeTrouble' | 'isStopping'> & {
    /** What PostgreSQL of a member said last of why it could not go on. */
    readonly complaintOf?: (member: string) => string | undefined;
  },
  print: (line: string) => void,
  patienceMs = STORE_PATIENCE_MS,
): Promise<boolean> => {
  const count = up.config.members.length;
  const begun = performance.now();
  let said = '';
  const complained = new Set<string>();
  while (performance.now() - begun < READY_LIMIT_MS) {
    const snapshot = await up.snapshot();
    if (up.isStopping()) return false;
    const elapsedMs = performance.now() - begun;
    const trouble = elapsedMs < patienceMs ? undefined : up.storeTrouble();
    const waiting = `waiting for etcd${trouble === undefined ? '' : `: ${trouble}`}`;
    const now = snapshot === undefined ? waiting : describe(snapshot, count);
    if (now !== said) print(`  ${(elapsedMs / 1_000).toFixed(1)} s  ${now}`);
    said = now;
    for (const member of failedIn(snapshot)) {
      const complaint = complained.has(member) ? undefined : up.complaintOf?.(member);
      if (complaint === undefined) continue;
      complained.add(member);
      print(`         ${member}: ${complaint}`);
    }
    if (snapshot !== undefined && isReady(snapshot, count)) return true;
    await sleep(LOOK_MS);
  }
  return false;
};

const FAILED: readonly string[] = ['start failed', 'crashed'];

/** Members whose PostgreSQL has ended by itself. */
const failedIn = (snapshot: StoreSnapshot | undefined): readonly string[] =>
  Object.entries(snapshot?.members ?? {}).flatMap(([name, { value }]) =>
    FAILED.includes(value.state) ? [name] : [],
  );

const isSynchronous = ({ config }: StoreSnapshot): boolean =>
  readClusterSettings(config?.value).synchronousMode !== 'off';

const describe = (snapshot: StoreSnapshot, count: number): string => {
  const members = Object.entries(snapshot.members).sort(([a], [b]) => (a < b ? -1 : 1));
  if (members.length === 0) return 'waiting for the members';
  const words = members.map(([name, { value }]) => {
    const isPrimary = name === snapshot.leader?.value && value.state === 'running';
    return `${name} ${isPrimary ? 'primary' : (value.replicationState ?? value.state)}`;
  });
  const isMissing = members.length < count;
  const streams = members.every(
    ([name, { value }]) =>
      name === snapshot.leader?.value || value.replicationState === 'streaming',
  );
  const waits = !isMissing && streams && !isReady(snapshot, count) && isSynchronous(snapshot);
  const more = isMissing ? ', …' : waits ? '; waiting until commits wait for replicas' : '';
  return `${words.join(', ')}${more}`;
};
