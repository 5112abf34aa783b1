import { type JobProgress, type Upstream, assembleOffer, assembleView } from '@matriarch/core';
import { DataDirectory } from '../../postgres/data-directory.ts';
import type { Instance } from '../../postgres/instance.ts';
import { type Performer, type Performing, type Result, failed } from './performer.ts';
import { reportDestroyed } from './disk-performers.ts';
import { slotOf } from '../../postgres/slot-of.ts';

/** In how many parts a job is done; after each it may be found to have failed. */
const PARTS = 4;
const BYTES_OF_A_JOB = 40_000_000;

interface Job {
  readonly kind: JobProgress['kind'];
  readonly takesMs: number;
  /** Why it cannot go on; undefined: it can. */
  readonly whyNot: () => string | undefined;
  readonly finish: () => void;
  readonly fail: (cause: string) => void;
}

/** Works in parts and tells how far it is. When the loop dies the work stays as it is. */
const work = (performing: Performing, job: Job, part = 0): void => {
  const { loop, world } = performing;
  loop.process.after(job.takesMs / PARTS, () => {
    const isBroken = world.random.chance(world.hostPace.jobFailRate / PARTS);
    const cause = isBroken ? 'the program ended with status 1' : job.whyNot();
    if (cause !== undefined) return job.fail(cause);
    if (part + 1 === PARTS) return job.finish();
    const doneBytes = (BYTES_OF_A_JOB * (part + 1)) / PARTS;
    const progress = { kind: job.kind, doneBytes, totalBytes: BYTES_OF_A_JOB };
    loop.take({ kind: 'job-progress', progress });
    work(performing, job, part + 1);
  });
};

const drawJobMs = ({ world: { random, hostPace } }: Performing): number =>
  random.between(hostPace.jobMs / 10, hostPace.jobMs);

/** A system identifier, as many digits as PostgreSQL's. */
const drawSystemIdentifier = ({ world: { random } }: Performing): string =>
  `7${Array.from({ length: 18 }, () => random.integer(0, 9)).join('')}`;

export const initialise: Performer<'initialise'> = (performing, _action, answer) => {
  const { disk } = performing.host.postgres;
  disk.bootstrapping = true;
  disk.next = { kind: 'initialise', data: undefined };
  const systemIdentifier = drawSystemIdentifier(performing);
  work(performing, {
    kind: 'initialise',
    takesMs: drawJobMs(performing) / 4,
    whyNot: () => (disk.next?.kind === 'initialise' ? undefined : 'the directory is gone'),
    finish: () => {
      disk.next = { kind: 'initialise', data: new DataDirectory(systemIdentifier) };
      answer({ kind: 'done', systemIdentifier });
    },
    fail: (cause) => answer(failed(cause)),
  });
};

export const createUsers: Performer<'create-users'> = ({ host, loop, world }, _action, answer) => {
  loop.process.after(world.random.between(20, 120), () => {
    const instance = host.postgres.running;
    if (instance === undefined || !instance.acceptsConnections || instance.inRecovery)
      return answer(failed('the server does not answer'));
    host.postgres.append(instance);
    instance.data.hasUsers = true;
    answer({ kind: 'done' });
  });
};

/** The server to copy from, and whether it can be reached both ways. */
const sourceOf = ({ host, world }: Performing, { member }: Upstream): (() => Instance | string) => {
  const server = world.hosts.get(member)?.postgres;
  return () => {
    const instance = server?.running;
    if (server === undefined || instance === undefined || !instance.acceptsConnections)
      return `${member} does not let us in`;
    if (!world.network.isConnected(host.name, server.host)) return `${member} is not reached`;
    if (instance.startedAs === 'private') return `${member} does not let us in`;
    return instance;
  };
};

export const clone: Performer<'clone'> = (performing, { from }, answer) => {
  const { host, world } = performing;
  const { disk } = host.postgres;
  const source = sourceOf(performing, from);
  const before = disk.next?.data;
  disk.next = { kind: 'clone', data: undefined };
  if (before !== undefined) reportDestroyed(performing, before, 'an unused clone');
  const first = source();
  work(performing, {
    kind: 'clone',
    takesMs: drawJobMs(performing),
    whyNot: () => {
      const now = source();
      if (typeof now === 'string') return now;
      return now === first ? undefined : `${from.member} was restarted`;
    },
    finish: () => {
      const instance = source();
      if (typeof instance === 'string') return answer(failed(instance));
      const data = instance.data.copy(world.kernel.now);
      // A base backup brings the history of its own timeline, and nobody's placed files.
      data.emptyHistory.clear();
      data.otherHistory.clear();
      data.standbySignal = true;
      disk.next = { kind: 'clone', data };
      const slot = instance.data.slots.get(slotOf(host.name));
      if (slot !== undefined) slot.restartLsn = Math.max(slot.restartLsn, data.wal.end);
      answer({ kind: 'done' });
    },
    fail: (cause) => answer(failed(cause)),
  });
};

export const rewind: Performer<'rewind'> = (performing, { to }, answer) => {
  const { host, loop } = performing;
  const { disk, isSilent } = host.postgres;
  const target = disk.data;
  const source = sourceOf(performing, to)();
  const refuse = (cause: string): void =>
    loop.process.after(FIRST_LOOK_MS, () => answer(failed(cause)));
  if (target === undefined) return refuse('there is no data directory');
  if (!isSilent) return refuse('a server is running in the data directory');
  if (target.rewinding) return refuse('an earlier rewind was not finished');
  if (typeof source === 'string') return refuse(source);
  if (source.inRecovery) return refuse(`${to.member} is not a primary`);
  if (source.data.systemIdentifier !== target.systemIdentifier)
    return refuse('the system identifiers differ');
  // A server that was killed is recovered first, and that refuses to be a standby.
  if (target.control === 'in-production' || target.control === 'in-recovery')
    target.standbySignal = false;
  // The program compares the timelines in the two control files, and nothing else.
  if (source.data.checkpointTimeline === target.lineage.timeline)
    return loop.process.after(FIRST_LOOK_MS, () => answer({ kind: 'done' }));
  overwrite(performing, { target, source, to }, answer);
};

const FIRST_LOOK_MS = 30;

/** Reads for a while, then writes: a failure before that leaves the data as it was. */
const overwrite = (
  performing: Performing,
  rewound: { target: DataDirectory; source: Instance; to: Upstream },
  answer: (result: Result<'rewind'>) => void,
): void => {
  const { host, world } = performing;
  const { target, source, to } = rewound;
  const takesMs = drawJobMs(performing) / 2;
  const isGoneOn = sourceOf(performing, to);
  let hasFailed = false;
  target.rewinding = true;
  performing.loop.process.after(takesMs / 2, () => {
    if (hasFailed) return;
    target.overwritten = true;
    reportDestroyed(performing, target, 'what a rewind overwrites');
  });
  work(performing, {
    kind: 'rewind',
    takesMs,
    whyNot: () => (isGoneOn() === source ? undefined : `the connection to ${to.member} was lost`),
    finish: () => {
      const data = source.data.copy(world.kernel.now);
      data.control = 'in-recovery';
      host.postgres.disk.occupant = { kind: 'data', data };
      answer({ kind: 'done' });
    },
    fail: (cause) => {
      hasFailed = true;
      target.rewinding = target.overwritten;
      answer(failed(cause));
    },
  });
};

/** A standby looks again for WAL that it lacks after this time. */
const RETRIEVE_RETRY_MS = 100;
const FETCH_LIMIT_MS = 1_000;

/**
 * The offering agent reads its disk, and our standby takes what has come: up to the end that was
 * offered, and only what continues its own.
 */
export const fetchWal: Performer<'fetch-wal'> = (performing, { from, start, end }, answer) => {
  const { host, loop, world } = performing;
  const peer = world.hosts.get(from.member);
  const { network, random } = world;
  const isReached = network.isConnected(host.name, from.member);
  const takesMs = isReached
    ? random.between(2, 20) + random.tail(5, FETCH_LIMIT_MS)
    : FETCH_LIMIT_MS;
  loop.process.after(takesMs, () => {
    const state = peer?.guard?.loop?.process.isRunning === true ? peer.guard.loop.state : undefined;
    const offer = state === undefined ? undefined : assembleOffer(assembleView(state));
    const source = peer?.postgres.disk.data;
    if (!isReached || offer === undefined || source === undefined)
      return answer(failed(`${from.member} offers nothing`));
    const { wal } = source;
    const upTo = wal.countUpTo(Number(end.lsn));
    const records = wal.records.slice(0, upTo);
    answer({ kind: 'done', bytes: Number(end.lsn - start.lsn) });
    const instance = host.postgres.running;
    instance?.process.after(random.between(1, RETRIEVE_RETRY_MS), () => {
      const own = instance.data.wal;
      // The spool was emptied, or a stream has come first.
      if (!instance.inRecovery || instance.upstream !== undefined || !instance.consumed) return;
      if (records[own.count - 1]?.id !== own.records.at(-1)?.id) return;
      for (const record of records.slice(own.count)) own.append(record, world.kernel.now);
      host.postgres.onChange();
    });
  });
};
