/** Does one harm after the other to a running local cluster and measures what applications see. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreSnapshot } from '@matriarch/core';
import { clusterRoles } from '@matriarch/protocol';
import { memberPaths } from '../local/directories.ts';
import { callApi } from '../local/member-api.ts';
import type { RunningUp } from '../local/running-up.ts';
import { withDescendants } from '../local/process-tree.ts';
import { isReady } from '../local/ready.ts';
import { hold, killAll, letGo, postmasterPid, serverPids } from './faults.ts';
import { collectSteps } from './journal-steps.ts';
import type { Ledger } from './ledger.ts';
import type { FaultName, FaultReport } from './report.ts';
import { TABLE, type TrafficParts, connect } from './traffic.ts';

/** How long a fault may take to be over for the applications. */
const RECOVERY_LIMIT_MS = 30_000;
/** How long after that every member may take to stream again. */
const REJOIN_LIMIT_MS = 40_000;
/** Applications go on for so long before the next fault. */
const CALM_MS = 2_000;
const LOOK_MS = 50;
const API_LIMIT_MS = 30_000;

export interface DrillParts {
  readonly up: RunningUp;
  readonly ledger: Ledger;
  readonly traffic: TrafficParts;
}

/** The first snapshot that satisfies, or undefined after the limit. */
const until = async (
  up: RunningUp,
  satisfies: (snapshot: StoreSnapshot) => boolean,
  limitMs: number,
): Promise<StoreSnapshot | undefined> => {
  const begun = performance.now();
  while (performance.now() - begun < limitMs) {
    const snapshot = await up.snapshot();
    if (snapshot !== undefined && satisfies(snapshot)) return snapshot;
    await sleep(LOOK_MS);
  }
  return undefined;
};

/** The lease has moved; the outage is over when applications can write again, or never is. */
const untilWritten = async (ledger: Ledger, fromMs: number): Promise<void> => {
  while (performance.now() - fromMs < RECOVERY_LIMIT_MS) {
    if (ledger.hasWrittenSince(fromMs)) return;
    await sleep(LOOK_MS);
  }
};

const journalsOf = ({ config, paths }: RunningUp): ReadonlyMap<string, string> =>
  new Map(
    config.members.map(({ name }) => [
      name,
      join(memberPaths(paths.state, name).stateDirectory, 'journal.jsonl'),
    ]),
  );

const dataOf = ({ config, paths }: RunningUp, name: string): string =>
  config.members.find((member) => member.name === name)?.dataDirectory ??
  memberPaths(paths.state, name).data;

/** What was done, and how it ends. */
interface Harm {
  readonly begin: () => Promise<void>;
  /** Called once the applications write again. */
  readonly heal: () => void;
}

const harmOf = (fault: FaultName, up: RunningUp, primary: string): Harm => {
  const nothing = (): void => undefined;
  switch (fault) {
    case 'primary-crash':
      return {
        begin: async () => killAll([postmasterPid(dataOf(up, primary))], 'SIGKILL'),
        heal: nothing,
      };
    case 'host-loss':
      return {
        begin: async () => {
          hold(up.paths.held, primary);
          killAll(hostPids(up, primary), 'SIGKILL');
        },
        heal: () => letGo(up.paths.held, primary),
      };
    case 'switchover':
      return { begin: async () => askForSwitchover(up, primary), heal: nothing };
  }
};

/** Agent, guard, loop, PostgreSQL and the host's etcd: every process of it. */
const hostPids = (up: RunningUp, name: string): number[] => {
  const index = up.config.members.findIndex((member) => member.name === name);
  const pids = up.cluster.pids();
  const roots = [pids.get(name), pids.get(`etcd${index + 1}`)].filter((pid) => pid !== undefined);
  return [...new Set([...withDescendants(roots), ...serverPids(dataOf(up, name))])];
};

const askForSwitchover = (up: RunningUp, primary: string): void => {
  const member = up.config.members.find(({ name }) => name === primary);
  const password = up.secrets.get('restapi');
  // The answer comes when it is over; what applications see is measured in the meantime.
  callApi({
    method: 'POST',
    url: `http://127.0.0.1:${member?.restPort ?? 0}/switchover`,
    body: { leader: primary },
    authentication:
      password === undefined ? undefined : { username: clusterRoles.restapi, password },
    limitMs: API_LIMIT_MS,
  }).catch(() => undefined);
};

export const runFault = async (parts: DrillParts, fault: FaultName): Promise<FaultReport> => {
  const { up, ledger, traffic } = parts;
  const before = await until(
    up,
    (snapshot) => isReady(snapshot, up.config.members.length),
    REJOIN_LIMIT_MS,
  );
  const oldPrimary = before?.leader?.value ?? '';
  const oldTerm = before?.leader?.modRevision;
  await sleep(CALM_MS);
  const harm = harmOf(fault, up, oldPrimary);
  const wallMs = Date.now();
  const fromMs = performance.now();
  await harm.begin();
  const moved = (snapshot: StoreSnapshot): boolean => {
    const leader = snapshot.leader?.value;
    const isOther = snapshot.leader?.modRevision !== oldTerm;
    return leader !== undefined && (isOther || hasRestarted(up, wallMs, leader));
  };
  const after = await until(up, moved, RECOVERY_LIMIT_MS);
  const newPrimary = after?.leader?.value ?? '';
  await untilWritten(ledger, performance.now());
  await sleep(CALM_MS);
  const toMs = performance.now();
  harm.heal();
  const rejoined = await until(
    up,
    (snapshot) => isReady(snapshot, up.config.members.length),
    REJOIN_LIMIT_MS,
  );
  const rejoinedMs = rejoined === undefined ? null : Math.round(performance.now() - fromMs);
  const window = { fromMs, toMs };
  const firstWrite = ledger.firstWriteAfterOutage(window);
  const steps = collectSteps(journalsOf(up), wallMs).filter(({ atMs }) => atMs <= toMs - fromMs);
  return {
    fault,
    oldPrimary,
    newPrimary,
    writeOutageMs: ledger.writeOutageMs(window),
    readOutageMs: ledger.readOutageMs(window),
    clientErrors: ledger.countErrors(window),
    acknowledged: ledger.acknowledgedIds().length,
    lost: await countLost(traffic, ledger),
    steps: [
      ...steps,
      ...(firstWrite === undefined
        ? []
        : [{ name: 'write.acknowledged', atMs: Math.round(firstWrite - fromMs) }]),
    ].sort((a, b) => a.atMs - b.atMs),
    rejoinedMs,
  };
};

const hasRestarted = (up: RunningUp, wallMs: number, leader: string): boolean =>
  collectSteps(journalsOf(up), wallMs).some(({ name }) => name === `server.restarting ${leader}`);

/** Compares every acknowledged row with the primary as it is now. */
const countLost = async (traffic: TrafficParts, ledger: Ledger): Promise<number> => {
  const [door] = traffic.writeDoors;
  if (door === undefined) return 0;
  // Listed before the look: what is acknowledged later may not be there yet.
  const acknowledged = ledger.acknowledgedIds();
  const client = await connect(traffic, door);
  try {
    const { rows } = await client.query<{ id: string }>(`select id from ${TABLE}`);
    return ledger.countNewlyLost(new Set(rows.map(({ id }) => id)), acknowledged);
  } finally {
    await client.end();
  }
};
