import type { Instance } from './instance.ts';
import type { SimPostgres } from './sim-postgres.ts';

/**
 * A fast shutdown: sessions end, a primary writes its last checkpoint and waits until every
 * standby that is connected has received it. It waits without a limit of its own.
 */
export const shutDown = (server: SimPostgres, instance: Instance): void => {
  if (instance.phase === 'stopping') return;
  const wasUp = instance.phase === 'up';
  instance.phase = 'stopping';
  instance.backends = false;
  instance.receiver?.close();
  server.reportWritable(false);
  const { data } = instance;
  const endsMs = server.world.random.between(10, 40);
  instance.process.after(endsMs, () => {
    if (instance.inRecovery) data.control = 'shut-down-in-recovery';
    else if (wasUp) {
      server.append(instance);
      data.checkpointTimeline = data.lineage.timeline;
      data.control = 'shut-down';
    }
    instance.isPromoting = false;
    instance.isSettled = true;
    tryFinishStop(server, instance);
  });
};

/** Ends the server when its stop has nothing to wait for any more. */
export const tryFinishStop = (server: SimPostgres, instance: Instance): void => {
  if (!instance.isSettled || instance.isGone) return;
  const { end } = instance.data.wal;
  const isAwaited =
    !instance.inRecovery && instance.senders.some((sender) => sender.flushedLsn < end);
  if (isAwaited) return;
  instance.process.after(server.world.random.between(5, 20), () =>
    server.die(instance, { code: 0, signal: null }),
  );
};
