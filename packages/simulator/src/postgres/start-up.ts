import type { Instance } from './instance.ts';
import type { SimPostgres } from './sim-postgres.ts';
import { drawStartupLateMs, readNamesAtStart } from './sync-rep.ts';
import { WalReceiver } from './wal-receiver.ts';

/** A start that has nothing to recover. */
const CLEAN_START_MS = 40;

/** Takes a new postmaster from its first moment to the one where it lets sessions in. */
export const startUp = (server: SimPostgres, instance: Instance): void => {
  const { random, pace } = server.world;
  const { data } = instance;
  readNamesAtStart(instance);
  const crashed = !instance.inRecovery && data.control === 'in-production';
  if (instance.inRecovery) data.control = 'in-recovery';
  data.checkpointTimeline = instance.inRecovery ? data.lineage.timeline : data.checkpointTimeline;
  const takesMs =
    random.between(CLEAN_START_MS, 2 * CLEAN_START_MS) +
    (crashed ? random.tail(pace.recoveryMs / 5, pace.recoveryMs) : 0) +
    (instance.inRecovery ? random.tail(pace.recoveryMs / 20, pace.recoveryMs) : 0);
  instance.process.after(takesMs, () =>
    instance.whenPostmasterRuns(() => {
      if (instance.phase !== 'starting') return;
      if (instance.inRecovery) becomeStandby(server, instance);
      else becomePrimary(server, instance);
    }),
  );
};

const becomePrimary = (server: SimPostgres, instance: Instance): void => {
  instance.data.control = 'in-production';
  instance.data.checkpointTimeline = instance.data.lineage.timeline;
  instance.phase = 'up';
  instance.consumed = true;
  instance.backends = true;
  server.append(instance);
  server.reportWritable(true);
  server.onChange();
};

/** Consistent: sessions may read. It still has to read the rest of its own WAL. */
const becomeStandby = (server: SimPostgres, instance: Instance): void => {
  const { random, pace } = server.world;
  instance.phase = 'up';
  instance.backends = true;
  server.onChange();
  const readsMs = random.between(5, 30) + random.tail(pace.recoveryMs / 10, pace.recoveryMs);
  instance.process.after(readsMs, () => {
    instance.consumed = true;
    if (instance.phase === 'up' && !instance.isPromoting) connect(server, instance);
  });
};

/** Reads the configuration again; a standby told to stream from elsewhere connects anew. */
export const loadUpstream = (server: SimPostgres, instance: Instance): void => {
  const before = instance.upstream?.address;
  instance.upstream = instance.data.upstream;
  if (before === instance.upstream?.address || instance.phase !== 'up') return;
  instance.process.after(drawStartupLateMs(server), () => {
    if (!instance.inRecovery || !instance.consumed || instance.isPromoting) return;
    connect(server, instance);
  });
};

const connect = (server: SimPostgres, instance: Instance): void => {
  instance.receiver?.close();
  instance.receiver = undefined;
  const { upstream } = instance;
  if (upstream === undefined) return;
  instance.receiver = new WalReceiver({
    instance,
    world: server.world,
    host: server.host,
    upstream,
    onChange: () => server.onChange(),
  });
};
