import { type DiskContent, lsn } from '@matriarch/core';
import type { DataDirectory } from '../../postgres/data-directory.ts';
import { type Performer, type Performing, failed } from './performer.ts';

/** Does something to files after the time it takes, unless the disk fails it. */
const after = (
  { loop, world }: Performing,
  typicalMs: number,
  run: (isBroken: boolean) => void,
): void => {
  const { random, hostPace } = world;
  loop.process.after(random.between(typicalMs / 4, typicalMs) + random.tail(1, 200), () =>
    run(random.chance(hostPace.jobFailRate / 4)),
  );
};

const DISK_FAILED = failed('the disk did not do it');
const SERVER_RUNS = failed('a server is running in the data directory');

const describeContent = (performing: Performing): DiskContent => {
  const { occupant } = performing.host.postgres.disk;
  switch (occupant.kind) {
    case 'empty':
      return { kind: 'empty' };
    case 'not-ours':
      return { kind: 'not-ours', detail: '/data holds files of somebody else' };
    case 'unreadable':
      return { kind: 'unreadable', detail: '/data cannot be read: permission denied' };
    case 'data': {
      const { systemIdentifier, control, lineage, standbySignal } = occupant.data;
      const known = { systemIdentifier, control, lineage, standbySignal };
      return { kind: 'data', ...known, end: undefined, rewindable: true };
    }
  }
};

export const inspectDisk: Performer<'inspect-disk'> = (performing, _action, answer) => {
  after(performing, 5, () => {
    const { disk, lastWords } = performing.host.postgres;
    answer({
      kind: 'done',
      disk: {
        content: describeContent(performing),
        rewindUnfinished: disk.data?.rewinding === true,
        bootstrapUnfinished: disk.bootstrapping,
        asideKept: disk.aside !== undefined || disk.next !== undefined,
        newReady: disk.next?.data !== undefined,
        lastWords,
      },
    });
  });
};

export const measureWalEnd: Performer<'measure-wal-end'> = (performing, { from }, answer) => {
  after(performing, from === undefined ? 60 : 15, (isBroken) => {
    const { host, world } = performing;
    const { data } = host.postgres.disk;
    if (data === undefined) return answer(failed('there is no data directory'));
    if (isBroken) return answer(DISK_FAILED);
    const { end } = data.wal;
    world.see({ kind: 'wal-measured', host: host.name, end });
    answer({ kind: 'done', end: lsn(end) });
  });
};

export const prepareServer: Performer<'prepare-server'> = (performing, action, answer) => {
  after(performing, 4, (isBroken) => {
    const { disk, isSilent } = performing.host.postgres;
    const { data } = disk;
    if (data === undefined) return answer(failed('there is no data directory'));
    if (isBroken) return answer(DISK_FAILED);
    data.upstream = action.upstream;
    data.syncNames = action.syncNames ?? '';
    // Under a running server only what it may read again is touched.
    if (isSilent) {
      data.standbySignal = action.as === 'standby';
      data.forgetHistoryAhead();
      data.completeHistory();
    }
    if (action.as !== 'private') disk.bootstrapping = false;
    answer({ kind: 'done' });
  });
};

export const placeHistory: Performer<'place-history'> = (performing, { timelines }, answer) => {
  after(performing, 3, (isBroken) => {
    const { data } = performing.host.postgres.disk;
    if (data === undefined) return answer(failed('there is no data directory'));
    if (isBroken) return answer(DISK_FAILED);
    for (const number of timelines) if (!data.hasHistoryFile(number)) data.emptyHistory.add(number);
    answer({ kind: 'done' });
  });
};

export const keepFork: Performer<'keep-fork'> = (performing, { fork, end }, answer) => {
  after(performing, 40, (isBroken) => {
    const { host, world } = performing;
    const { disk } = host.postgres;
    if (disk.data === undefined) return answer(failed('there is no data directory'));
    if (isBroken) return answer(DISK_FAILED);
    const fromLsn = Number(fork.switchLsn);
    const { wal } = disk.data;
    const kept = wal.copy(wal.countUpTo(Number(end)), world.kernel.now).tail(fromLsn, 0);
    disk.keptForks.push({ fromLsn, wal: kept });
    const records = kept.count;
    world.journal.note(host.name, 'fork kept', () => `${records} records from ${fromLsn}`);
    answer({ kind: 'done', keptAt: `/forks/${disk.keptForks.length}` });
  });
};

export const installData: Performer<'install-data'> = (performing, _action, answer) => {
  after(performing, 5, (isBroken) => {
    const { host, world } = performing;
    const { disk, isSilent } = host.postgres;
    const { occupant, next, aside } = disk;
    if (next?.data === undefined) return answer(failed('there is no complete new directory'));
    if (!isSilent) return answer(SERVER_RUNS);
    if (isBroken) return answer(DISK_FAILED);
    const isForeign =
      occupant.kind === 'data'
        ? occupant.data.systemIdentifier !== next.data.systemIdentifier
        : occupant.kind !== 'empty';
    if (isForeign) world.see({ kind: 'foreign-data-touched', host: host.name, by: 'install-data' });
    disk.occupant = { kind: 'data', data: next.data };
    disk.next = undefined;
    // One that is kept already is the better one: what replaced it has never streamed.
    if (occupant.kind === 'data' && aside === undefined) disk.aside = occupant.data;
    else if (occupant.kind === 'data')
      reportDestroyed(performing, occupant.data, 'a data directory that was replaced again');
    answer({ kind: 'done' });
  });
};

export const discardAside: Performer<'discard-aside'> = (performing, _action, answer) => {
  after(performing, 20, (isBroken) => {
    const { disk } = performing.host.postgres;
    if (isBroken) return answer(DISK_FAILED);
    const { aside } = disk;
    disk.aside = undefined;
    disk.next = undefined;
    if (aside !== undefined) reportDestroyed(performing, aside, 'the directory kept aside');
    answer({ kind: 'done' });
  });
};

export const discardUnfinished: Performer<'discard-unfinished'> = (performing, _action, answer) => {
  after(performing, 20, (isBroken) => {
    const { disk, isSilent } = performing.host.postgres;
    if (!isSilent) return answer(SERVER_RUNS);
    if (isBroken) return answer(DISK_FAILED);
    const next = disk.next?.data;
    disk.next = undefined;
    if (next !== undefined) reportDestroyed(performing, next, 'an unused new directory');
    const { data } = disk;
    if (disk.bootstrapping && data !== undefined) {
      disk.occupant = { kind: 'empty' };
      reportDestroyed(performing, data, 'an unfinished bootstrap');
    }
    disk.bootstrapping = false;
    answer({ kind: 'done' });
  });
};

export const reportDestroyed = (
  { host, world }: Performing,
  data: DataDirectory,
  what: string,
): void => world.see({ kind: 'data-destroyed', host: host.name, what, wal: data.wal });
