/** Counting commits that nobody can promise. */
import { lsn } from '@matriarch/core';
import { type Performer, failed } from './performer.ts';

/** The log tells of a wait once, to whoever reads it first. */
export const countCancelled: Performer<'count-cancelled'> = ({ host, loop, world }, _, answer) => {
  loop.process.after(world.random.between(0.5, 3), () => {
    const { log } = host.postgres;
    const cancelled = log.cancelledWaits - log.readWaits;
    log.readWaits = log.cancelledWaits;
    answer({ kind: 'done', cancelled, terminated: 0, isBehind: false });
  });
};

/** What clients have written before the server of now was started. */
export const countExposed: Performer<'count-exposed'> = ({ host, loop, world }, action, answer) => {
  const { from, to, timeline } = action.range;
  loop.process.after(world.random.tail(30, 2_000), () => {
    const { data } = host.postgres.disk;
    const instance = host.postgres.running;
    if (data === undefined || instance === undefined)
      return answer(failed('the server does not run'));
    const { records, arrivedAt } = data.wal;
    const left = records.filter(
      (record, index) =>
        record.timeline === timeline &&
        record.end > from &&
        record.end <= to &&
        (arrivedAt[index] ?? 0) < instance.startedAt,
    );
    const commits = left.filter(({ write }) => write !== undefined).length;
    answer({ kind: 'done', commits, to: lsn(left.at(-1)?.end ?? Number(from)) });
  });
};
