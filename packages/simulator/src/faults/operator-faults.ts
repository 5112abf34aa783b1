import { memberName } from '@matriarch/core';
import { drawBytes } from '../clients/local-writer.ts';
import type { FaultKind } from './fault.ts';

const BURST_WRITES = 40;

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
      simulation.changePolicy({ synchronous: { mode, count, strict, lagBytesMax: undefined } });
      return { story: `replication mode ${mode}, ${count} standbys${strict ? ', strict' : ''}` };
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
