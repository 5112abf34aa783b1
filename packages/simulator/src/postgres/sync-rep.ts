import type { Instance } from './instance.ts';
import type { SimPostgres } from './sim-postgres.ts';
import type { WalSender } from './wal-sender.ts';
import type { WalRecord } from './wal.ts';

/**
 * Synchronous replication as PostgreSQL does it. Backends wait when the checkpointer has told them
 * to; a waiting commit is acknowledged by the walsender whose standby's answer completes what the
 * names ask for, by the names which that walsender has read last. Each process reads a changed
 * configuration in its own time.
 */
export interface WaitingCommit {
  readonly record: WalRecord;
  readonly acknowledge: () => void;
}

/** Longest time a process may take to read what it was signalled to read. */
const READS_LATE_MS = 3_000;
/** How often a process is busy when it is signalled. */
const READS_LATE_RATE = 0.2;
/** The startup process does nothing else while it waits for WAL. */
const STARTUP_READS_LATE_MS = 60;

interface Names {
  readonly method: 'first' | 'any';
  readonly count: number;
  readonly names: readonly string[];
}

/** `ANY 1 ("a","b")`, `2 ("a","b")` or `"a"`. */
const parseNames = (text: string): Names | undefined => {
  const match = /^(ANY )?(\d+) \((.*)\)$/.exec(text);
  const list = match?.[3] ?? text;
  const names = Array.from(list.matchAll(/"([^"]*)"/g), ([, name = '']) => name);
  if (names.length === 0) return undefined;
  const method = match?.[1] === undefined ? 'first' : 'any';
  return { method, count: Number(match?.[2] ?? 1), names };
};

/** What the postmaster reads at its start, and gives to every process that it starts. */
export const readNamesAtStart = (instance: Instance): void => {
  instance.syncNames = instance.data.syncNames;
  instance.isArmed = instance.syncNames !== '';
};

/** SIGHUP: the postmaster has read the file and signals its processes. */
export const reloadNames = (server: SimPostgres, instance: Instance): void => {
  const { random } = server.world;
  const names = instance.data.syncNames;
  instance.syncNames = names;
  instance.checkpointerPending = names;
  const drawLateMs = (): number =>
    random.chance(READS_LATE_RATE) ? random.between(0, READS_LATE_MS) : random.tail(2, 50);
  instance.process.after(drawLateMs(), () => readByCheckpointer(server, instance));
  for (const sender of instance.senders) {
    sender.signal(names);
    instance.process.after(drawLateMs(), () => sender.readNames());
  }
};

/** How long the startup process takes to see what it was signalled to read. */
export const drawStartupLateMs = ({ world }: SimPostgres): number =>
  world.random.between(0.2, STARTUP_READS_LATE_MS);

/** Between two of its tasks, and before it begins a checkpoint. */
export const readByCheckpointer = (server: SimPostgres, instance: Instance): void => {
  const names = instance.checkpointerPending;
  if (names === undefined) return;
  instance.checkpointerPending = undefined;
  instance.isArmed = names !== '';
  if (instance.isArmed) return;
  const { waiting } = instance;
  instance.waiting = [];
  for (const { acknowledge } of waiting) acknowledge();
  server.onChange();
};

/** A standby has answered: whatever its walsender may acknowledge now is acknowledged. */
export const releaseWaiting = (instance: Instance, sender: WalSender): void => {
  if (instance.waiting.length === 0) return;
  const names = parseNames(sender.names);
  if (names === undefined) return;
  const standbys = chooseStandbys(instance, names);
  if (standbys.length < names.count || !standbys.includes(sender)) return;
  const flushed = standbys.map(({ flushedLsn }) => flushedLsn).sort((a, b) => b - a);
  const upTo = flushed[names.count - 1] ?? 0;
  const released = instance.waiting.filter(({ record }) => record.end <= upTo);
  if (released.length === 0) return;
  instance.waiting = instance.waiting.filter(({ record }) => record.end > upTo);
  for (const { acknowledge } of released) acknowledge();
};

/** With `first`, those that stand first among the connected; with `any`, all of them. */
const chooseStandbys = ({ senders }: Instance, { method, count, names }: Names): WalSender[] => {
  const connected = names.flatMap((name) =>
    senders.filter(({ applicationName }) => applicationName === name),
  );
  return method === 'first' ? connected.slice(0, count) : connected;
};
