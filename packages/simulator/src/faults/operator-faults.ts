import {
  type JsonObject,
  type MemberName,
  type SuspensionDocument,
  isPauseOn,
  memberName,
} from '@matriarch/core';
import { drawBytes } from '../clients/local-writer.ts';
import type { Simulation } from '../world/simulation.ts';
import type { FaultKind } from './fault.ts';
import { ask } from './schedule-faults.ts';

const BURST_WRITES = 40;

const configOf = ({ store }: Simulation): JsonObject | undefined =>
  store.documents.get('config')?.value as JsonObject | undefined;

/** Sets or removes `pause` in the dynamic configuration, and leaves the rest as it is. */
const setPause = (simulation: Simulation, on: boolean): void => {
  const config = configOf(simulation);
  if (config === undefined) return;
  const { pause: _pause, ...others } = config;
  const put = on ? { ...others, pause: true } : others;
  simulation.store.documents.transact([], [{ key: 'config', put }]);
};

/** Nothing runs where a server could go on without a lease: an operator has looked. */
const isSafeToName = (simulation: Simulation): boolean => {
  const document = simulation.store.documents.get('suspension')?.value;
  const member: MemberName | undefined = (document as SuspensionDocument | undefined)?.member;
  const isWriting = [...simulation.hosts.values()].some(
    ({ postgres }) => postgres.running?.inRecovery === false,
  );
  return (
    !isWriting && (member === undefined || simulation.hosts.get(member)?.postgres.isSilent === true)
  );
};

/** What operators and applications do: it is no fault of anybody, and it must end as well. */
export const operatorFaults = {
  switchover: {
    troubles: 'nobody',
    inject: ({ simulation, random, other }) => {
      const leader = simulation.tenures.current?.host;
      if (leader === undefined) return undefined;
      const member = random.chance(0.5) ? memberName(other.name) : undefined;
      simulation.store.documents.transact(
        [],
        [{ key: 'failover', put: { leader: memberName(leader), member } }],
      );
      return { story: `switchover requested from ${leader} to ${member ?? 'anybody'}` };
    },
  },
  'cluster-paused': {
    troubles: 'all',
    inject: ({ simulation, lastsMs }) => {
      const config = configOf(simulation);
      if (config === undefined || isPauseOn(config)) return undefined;
      setPause(simulation, true);
      return {
        story: `the cluster is paused for ${(lastsMs / 1_000).toFixed(1)} s`,
        undo: () => setPause(simulation, false),
      };
    },
  },
  'failover-to-named': {
    troubles: 'nobody',
    inject: ({ simulation, other }) => {
      if (simulation.tenures.current !== undefined || !isSafeToName(simulation)) return undefined;
      // It overrules votes: what is lost then is the operator's to answer for.
      if (simulation.store.documents.get('sync') !== undefined) return undefined;
      const put = { member: memberName(other.name) };
      simulation.store.documents.transact([], [{ key: 'failover', put }]);
      return { story: `failover to ${other.name} requested` };
    },
  },
  'restart-asked': {
    troubles: 'server',
    inject: ({ simulation, random, host }) => {
      const limitMs = random.chance(0.3) ? random.between(100, 5_000) : undefined;
      const id = String(simulation.kernel.now);
      return ask(host, { kind: 'restart', id, limitMs })
        ? { story: `a restart of ${host.name} is asked for` }
        : undefined;
    },
  },
  'reinitialize-asked': {
    troubles: 'server',
    inject: ({ simulation, other }) =>
      ask(other, { kind: 'reinitialize', id: String(simulation.kernel.now) })
        ? { story: `a new clone is asked of ${other.name}` }
        : undefined,
  },
  'ttl-changes': {
    troubles: 'nobody',
    inject: ({ simulation, random }) => {
      const { fastLease, ttlMs: before } = simulation.policy;
      const ttlMs = random.pick(fastLease ? [5_000, 8_000, 20_000] : [20_000, 30_000, 60_000]);
      if (ttlMs === before) return undefined;
      simulation.changePolicy({ ttlMs });
      return { story: `the ttl becomes ${ttlMs} ms` };
    },
  },
  'mode-changes': {
    troubles: 'nobody',
    inject: ({ simulation, random }) => {
      const mode = random.pick(['off', 'on', 'quorum'] as const);
      const count = random.pick([1, 2]);
      const strict = random.chance(0.3);
      simulation.changePolicy({
        synchronous: { mode, count, strict, lagBytesMax: undefined },
        waiting: { roles: mode === 'quorum' ? ['billing'] : [], databases: [] },
      });
      return { story: `replication mode ${mode}, ${count} standbys${strict ? ', strict' : ''}` };
    },
  },
  'failsafe-changes': {
    troubles: 'nobody',
    inject: ({ simulation }) => {
      const failsafe = !simulation.policy.failsafe;
      simulation.changePolicy({ failsafe });
      return { story: `failsafe mode is switched ${failsafe ? 'on' : 'off'}` };
    },
  },
  'standby-stalls': {
    troubles: 'nobody',
    inject: ({ simulation, host, lastsMs }) => {
      const receiver = host.postgres.running?.receiver;
      if (receiver === undefined) return undefined;
      receiver.stalledUntil = simulation.kernel.now + lastsMs;
      return {
        story: `${host.name} receives nothing for ${(lastsMs / 1_000).toFixed(1)} s`,
        undo: () => {
          receiver.stalledUntil = 0;
        },
      };
    },
  },
  'writes-burst': {
    troubles: 'nobody',
    inject: ({ simulation, random }) => {
      for (let count = 0; count < BURST_WRITES; count += 1)
        for (const { postgres } of simulation.hosts.values())
          if (postgres.acceptsWrites)
            postgres.commit(
              simulation.ledger.issueWrite(),
              drawBytes(random, { gapMs: 0, largeRate: 1 }),
            );
      return { story: `${BURST_WRITES} large writes at once` };
    },
  },
  'data-removed': {
    troubles: 'host',
    inject: ({ simulation, host }) => {
      const { postgres } = host;
      const { data } = postgres.disk;
      if (data === undefined || simulation.tenures.current?.host === host.name) return undefined;
      const isCopied = [...simulation.hosts.values()].some(
        (other) =>
          other !== host &&
          other.postgres.disk.data?.overwritten === false &&
          other.postgres.disk.data.wal.sharedWith(data.wal) === data.wal.count,
      );
      // The last copy of something is nobody's to remove: not even a fault's.
      if (!isCopied) return undefined;
      postgres.disk.occupant = { kind: 'empty' };
      if (postgres.running !== undefined) postgres.die(postgres.running, { code: 1, signal: null });
      return { story: `the data directory of ${host.name} is removed` };
    },
  },
  'jobs-fail': {
    troubles: 'nobody',
    inject: ({ simulation, random, lastsMs }) => {
      simulation.hostPace.jobFailRate = random.between(0.2, 0.7);
      return {
        story: `many jobs on data directories fail for ${(lastsMs / 1_000).toFixed(1)} s`,
        undo: () => {
          simulation.hostPace.jobFailRate = 0;
        },
      };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
