import { parseAddress, slotNameOf, type Upstream } from '@matriarch/core';
import { rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writePassFile } from './access-files.ts';
import { type Answer, attempt, describeEnd, done, failed, type Nothing } from './answer.ts';
import { createDurably } from './atomic-file.ts';
import { type PostgresContext, toolEnvironment } from './context.ts';
import { ASIDE_INSIDE, type DataLayout, dataLayout, FRESH_INSIDE } from './data-layout.ts';
import { makeFresh } from './initialise.ts';
import { querySql } from './sql-session.ts';
import { createStallGuard } from './stall.ts';
import { clearMarker, ensureStateDirectory, setMarker } from './state-files.ts';
import { upstreamConninfo, upstreamTarget } from './upstream-target.ts';

/** Told several times a second. `totalBytes` is an estimate that may grow. */
export type OnProgress = (doneBytes: number, totalBytes: number) => void;

const KILOBYTE = 1_024;
const SOURCE_LIMIT_MS = 15_000;
/** WAL that arrives while the copy is made, and some room to breathe. */
const SPARE_BYTES = 256 * 1_024 * 1_024;

/**
 * `  23456/78901 kB (29%), 0/1 tablespace (…/base/5/1259)`, as pg_basebackup and pg_rewind say it.
 */
export const parseProgress = (
  line: string,
): { readonly doneBytes: number; readonly totalBytes: number } | undefined => {
  const match = /^\s*(\d+)\/(\d+) kB/.exec(line);
  return match === null
    ? undefined
    : { doneBytes: Number(match[1]) * KILOBYTE, totalBytes: Number(match[2]) * KILOBYTE };
};

/**
 * Takes a base backup of another member into the place where a new data directory grows. It is
 * complete and a standby's when this is done; `installData` puts it in place.
 */
export const clone = (
  context: PostgresContext,
  from: Upstream,
  onProgress: OnProgress = () => undefined,
): Promise<Answer<Nothing>> =>
  attempt(`clone ${from.member}`, async () => {
    const { config, binaries, owner } = context;
    const layout = await dataLayout(config.postgresql.dataDirectory);
    const source = await lookAtSource(context, from);
    if (source.kind !== 'done') return source;
    const tooFull = await whyTooFull(layout, source.totalBytes);
    if (tooFull !== undefined) return failed(tooFull);

    await clearMarker(context, 'new-ready');
    await ensureStateDirectory(context);
    await writePassFile(context);
    await makeFresh(context, layout);
    const stall = createStallGuard();
    const result = await context.run({
      command: binaries.pg_basebackup,
      args: [
        // Later options win: what the configuration says of speed holds, not what it says of shape.
        '--checkpoint=fast',
        ...config.postgresql.basebackupOptions,
        `--pgdata=${layout.fresh}`,
        '--wal-method=stream',
        '--progress',
        '--no-password',
        `--dbname=${source.conninfo}`,
        ...(source.slot === undefined ? [] : [`--slot=${source.slot}`]),
      ],
      env: toolEnvironment(),
      limitMs: undefined,
      signal: stall.signal,
      onStderrLine: (line) => {
        const progress = parseProgress(line);
        if (progress === undefined) return;
        stall.progress();
        onProgress(progress.doneBytes, progress.totalBytes);
      },
    });
    stall.end();
    if (result.kind !== 'exited' || result.code !== 0)
      return failed(describeEnd('pg_basebackup', result));
    // Where the source keeps a replaced data directory inside its own, that came along.
    for (const name of [ASIDE_INSIDE, FRESH_INSIDE, 'recovery.signal'])
      await rm(join(layout.fresh, name), { recursive: true, force: true });
    await createDurably(join(layout.fresh, 'standby.signal'), '', { mode: 0o600, owner });
    await setMarker(context, 'new-ready');
    return done;
  });

interface Source {
  readonly conninfo: string;
  /** Our own slot there, when it exists and nobody uses it. */
  readonly slot: string | undefined;
  readonly totalBytes: number;
}

const SOURCE_QUERY = `
select
  (select string_agg(spcname, ', ') from pg_tablespace
    where spcname not in ('pg_default', 'pg_global')) as tablespaces,
  (select count(*)::int from pg_replication_slots
    where slot_name = $1 and slot_type = 'physical' and not active) as slots,
  (select sum(pg_database_size(oid)) filter (where has_database_privilege(oid, 'connect'))::text
    from pg_database) as bytes`;

const lookAtSource = async (context: PostgresContext, from: Upstream): Promise<Answer<Source>> => {
  const { replication, rewind } = context.config.postgresql;
  const address = parseAddress(from.address);
  const reach = upstreamTarget(context, from, { role: rewind, replication: false });
  if (reach.kind !== 'done' || address === undefined)
    return failed(`the address of ${from.member} is ${from.address}`);
  const ownSlot = slotNameOf(context.config.name);
  const answer = await querySql(reach.target, {
    text: SOURCE_QUERY,
    values: [ownSlot],
    limitMs: SOURCE_LIMIT_MS,
  });
  if (answer.kind !== 'rows')
    return failed(`${from.member} cannot be asked as ${rewind.username}: ${answer.message}`);
  const row = answer.rows[0] ?? {};
  if (typeof row['tablespaces'] === 'string')
    return failed(
      `${from.member} has tablespaces (${row['tablespaces']}), which cannot be cloned: ` +
        'they would lie in the same place on every host',
    );
  return {
    kind: 'done',
    conninfo: upstreamConninfo(context, address, replication),
    slot: context.settings().useSlots && row['slots'] === 1 ? ownSlot : undefined,
    totalBytes: Number(row['bytes'] ?? 0),
  };
};

const MEGABYTE = 1_048_576;

const whyTooFull = async (
  { data, fresh }: DataLayout,
  totalBytes: number,
): Promise<string | undefined> => {
  const existing = await firstExisting(dirname(fresh));
  // What an unfinished clone left will be removed first, and is not counted: rather wait than fill.
  const { bavail, bsize } = await statfs(existing);
  const freeBytes = bavail * bsize;
  if (freeBytes >= totalBytes + SPARE_BYTES) return undefined;
  return (
    `too little space for a clone beside ${data}: ` +
    `${Math.ceil((totalBytes + SPARE_BYTES) / MEGABYTE)} MB needed, ` +
    `${Math.floor(freeBytes / MEGABYTE)} MB free on the file system of ${existing}`
  );
};

const firstExisting = async (path: string): Promise<string> => {
  try {
    await statfs(path);
    return path;
  } catch (error) {
    if (dirname(path) === path) throw error;
    return firstExisting(dirname(path));
  }
};
