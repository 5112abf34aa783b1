import { type Timeline, lsn, timeline } from '@matriarch/core';
import type { Instance } from './instance.ts';
import type { SimPostgres } from './sim-postgres.ts';

/** A promotion that sleeps at the wrong moment takes up to this long. */
const SLOW_PROMOTION_MS = 5_000;
/** A checkpoint spread over time follows a promotion by itself. */
const CHECKPOINT_AFTER_MAX_MS = 30_000;
const LOOK_AGAIN_MS = 20;

/** The promote file is there and the signal has arrived. */
export const beginPromotion = (server: SimPostgres, instance: Instance): void => {
  const { random, pace } = server.world;
  if (instance.phase === 'stopping' || !instance.inRecovery || instance.isPromoting) return;
  instance.isPromoting = true;
  instance.receiver?.close();
  instance.receiver = undefined;
  const isSlow = random.chance(pace.slowPromotionRate);
  const takesMs = isSlow ? random.between(500, SLOW_PROMOTION_MS) : random.between(15, 60);
  instance.process.after(takesMs, () => finishWhenReplayed(server, instance));
};

/** Everything that is on the disk is replayed before the server leaves recovery. */
const finishWhenReplayed = (server: SimPostgres, instance: Instance): void => {
  if (instance.phase === 'stopping') return;
  if (instance.phase === 'up' && instance.consumed) return finishPromotion(server, instance);
  instance.process.after(LOOK_AGAIN_MS, () => finishWhenReplayed(server, instance));
};

const finishPromotion = (server: SimPostgres, instance: Instance): void => {
  const { data } = instance;
  const parent = data.lineage.timeline;
  const switchLsn = data.wal.end;
  const next = nextTimeline(parent, (number) => data.hasHistoryFile(number));
  data.lineage = {
    timeline: next,
    ancestors: [...data.lineage.ancestors, { timeline: parent, switchLsn: lsn(switchLsn) }],
  };
  data.standbySignal = false;
  data.control = 'in-production';
  data.upstream = undefined;
  instance.inRecovery = false;
  instance.isPromoting = false;
  server.world.see({
    kind: 'promoted',
    host: server.host,
    systemIdentifier: data.systemIdentifier,
    timeline: next,
    parent,
    switchLsn,
  });
  // Those who stream from here have to come again and learn of the new timeline.
  server.closeStreams(instance);
  server.append(instance);
  server.reportWritable(true);
  server.onChange();
  const checkpointMs = server.world.random.between(200, CHECKPOINT_AFTER_MAX_MS);
  instance.process.after(checkpointMs, () => server.checkpoint(instance));
};

/** PostgreSQL takes the number after the newest one, counted without a gap, that has a file. */
const nextTimeline = (parent: number, hasFile: (number: number) => boolean): Timeline => {
  let newest = parent;
  while (hasFile(newest + 1)) newest += 1;
  return timeline(newest + 1);
};
