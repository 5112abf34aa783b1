import {
  parseAddress,
  recoveryParameters,
  renderPostgresqlConf,
  renderPrimaryConninfo,
  slotNameOf,
  type Upstream,
  withIncludeLast,
  withoutParameters,
} from '@matriarch/core';
import { join } from 'node:path';
import { writeAccessFiles, writePassFile } from './access-files.ts';
import { type Answer, attempt, describeEnd, done, failed, type Nothing } from './answer.ts';
import { createDurably, exists, modeOf, removeDurably, writeAtomically } from './atomic-file.ts';
import { type PostgresContext, toolEnvironment } from './context.ts';
import { type ControlData, readControlData } from './control-data.ts';
import {
  lineageOnDisk,
  obsoleteHistories,
  placeHistories,
  removeHistory,
} from './history-files.ts';
import { isServerRunning } from './own-process.ts';
import { makePrivateDirectory } from './private-socket.ts';
import {
  ownedParameters,
  refusedOf,
  rememberAccepted,
  rememberRefusal,
  resolveParameters,
  wasAccepted,
} from './server-parameters.ts';
import { readServerFile } from './server-file.ts';
import { clearMarker, ensureStateDirectory } from './state-files.ts';
import { emptySpool, restoreCommand } from './wal-spool.ts';

export type ServerRole = 'primary' | 'standby' | 'private';

export interface Preparation {
  readonly as: ServerRole;
  /** Of a standby: where it is to stream from; undefined: from nowhere, for now. */
  readonly upstream: Upstream | undefined;
  /** Value of `synchronous_standby_names`; undefined: what the configuration says. */
  readonly syncNames?: string | undefined;
}

export interface Prepared {
  /** What was asked for and is not done, in words for the operator. */
  readonly remarks: readonly string[];
}

const SYNC_NAMES = 'synchronous_standby_names';
export const OWN_FILE = 'matriarch.conf';
const COMMENT = [
  'Written by Matriarch. Changes made here are lost: use the cluster configuration,',
  'or ALTER SYSTEM for what is to hold on this server only.',
];

/** A configuration is written, tried, and written again without what the server turned down. */
const ROUNDS = 4;
const CHECK_LIMIT_MS = 10_000;

/**
 * Makes the data directory ready to be started, or a running server ready to read its configuration
 * again: then only what it may read is touched. Everything is written so that being killed in the
 * middle leaves files that are whole; the same call again finishes the work.
 */
export const prepareServer = (
  context: PostgresContext,
  { as, upstream, syncNames }: Preparation,
): Promise<Answer<Prepared>> =>
  attempt('prepare the server', async () => {
    const { dataDirectory } = context.config.postgresql;
    const answer = await readControlData(context, dataDirectory);
    if (answer.kind !== 'done') return answer;
    const { control } = answer;
    const waits = syncNames === undefined ? {} : { [SYNC_NAMES]: syncNames };
    const missing = await completeOldFiles(context, Object.keys(waits));
    if (missing.kind !== 'done') return missing;

    await ensureStateDirectory(context);
    await emptySpool(context);
    const passFile = await writePassFile(context);
    const access = await writeAccessFiles(context);
    const link = as === 'standby' ? recoverySettings(context, upstream, passFile) : {};
    if (link === undefined) return failed(`the upstream's address is ${upstream?.address}`);
    const wish = {
      minimums: as === 'standby' ? control.minimums : {},
      fixed: { ...access, ...NO_TARGETS, ...link, ...waits },
    };
    const written = await writeConfiguration(context, wish);
    if (written.kind !== 'done') return written;

    if (!(await isServerRunning(dataDirectory))) await prepareStart(context, as, control);
    if (as === 'private') {
      const made = await makePrivateDirectory(context);
      if (made.kind !== 'done') return made;
    } else await clearMarker(context, 'bootstrap-unfinished');
    return written;
  });

/** The files that were there before us: ours is included last, and nothing overrides it. */
const completeOldFiles = async (
  context: PostgresContext,
  ours: readonly string[],
): Promise<Answer<Nothing>> => {
  const { config, owner, settings } = context;
  const { dataDirectory } = config.postgresql;
  const kind = { mode: 0o600, owner };
  const { pgHba, parameters } = settings();
  if (pgHba === undefined && parameters['hba_file'] === undefined)
    if (!(await exists(join(dataDirectory, 'pg_hba.conf'))))
      return failed(`${dataDirectory} has no pg_hba.conf: set postgresql.pg_hba`);
  const main = join(dataDirectory, 'postgresql.conf');
  const text = (await readServerFile(context, main)) ?? '';
  const mode = await modeOf(main, kind.mode);
  await writeAtomically(main, withIncludeLast(text, OWN_FILE), { mode, owner });
  const automatic = join(dataDirectory, 'postgresql.auto.conf');
  const changed = await readServerFile(context, automatic);
  if (changed !== undefined) {
    const names = new Set([...recoveryParameters, ...ownedParameters, ...ours]);
    await writeAtomically(automatic, withoutParameters(changed, names), kind);
  }
  return done;
};

/**
 * Also where nothing is recovered: PostgreSQL takes settings like these out of its configuration
 * only in a restart, and a standby that was promoted would ask for one from then on.
 */
const NO_TARGETS = {
  recovery_target: '',
  recovery_target_lsn: '',
  recovery_target_name: '',
  recovery_target_time: '',
  recovery_target_xid: '',
  recovery_target_timeline: 'latest',
};

/** What a standby is told; undefined when the upstream's address cannot be understood. */
const recoverySettings = (
  context: PostgresContext,
  upstream: Upstream | undefined,
  passFile: string,
): Readonly<Record<string, string>> | undefined => {
  const { config, settings } = context;
  const restore_command = restoreCommand(context, settings().parameters['restore_command']);
  if (upstream === undefined)
    return { restore_command, primary_conninfo: '', primary_slot_name: '' };
  const address = parseAddress(upstream.address);
  if (address === undefined) return undefined;
  const { replication, database } = config.postgresql;
  return {
    restore_command,
    primary_conninfo: renderPrimaryConninfo({
      ...address,
      user: replication.username,
      database,
      passFile,
      applicationName: config.name,
      options: replication.options,
    }),
    primary_slot_name: settings().useSlots ? slotNameOf(config.name) : '',
  };
};

interface Wish {
  readonly minimums: Readonly<Record<string, number>>;
  readonly fixed: Readonly<Record<string, string>>;
}

/**
 * Writes our file and has the server itself try parameters it has not accepted before. Single ones
 * it turns down are left out and remarked on; when something else is wrong, what was there before
 * is put back.
 */
const writeConfiguration = async (
  context: PostgresContext,
  { minimums, fixed }: Wish,
): Promise<Answer<Prepared>> => {
  const { config, owner, binaries, settings } = context;
  const path = join(config.postgresql.dataDirectory, OWN_FILE);
  const kind = { mode: 0o600, owner };
  const before = await readServerFile(context, path);
  const wanted = settings().parameters;
  let objection = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    const refused = refusedOf(binaries.postgres, wanted);
    const { file, remarks } = resolveParameters({ wanted, minimums, refused });
    const text = renderPostgresqlConf({ comment: COMMENT, parameters: { ...file, ...fixed } });
    const isNew = await writeAtomically(path, text, kind);
    if (!isNew && round === 0) return { kind: 'done', remarks };
    // What is fixed is of our own making: it costs a failover no try of all the rest.
    if (wasAccepted(binaries.postgres, file)) return { kind: 'done', remarks };
    const tried = await tryConfiguration(context);
    if (tried.kind !== 'done') return tried;
    if (tried.objection === undefined) {
      rememberAccepted(binaries.postgres, file);
      return { kind: 'done', remarks };
    }
    objection = tried.objection;
    const blamed = blamedParameters(objection).filter((name) => wanted[name] !== undefined);
    if (blamed.length === 0) break;
    for (const name of blamed) rememberRefusal(binaries.postgres, name, wanted);
  }
  if (before !== undefined) await writeAtomically(path, before, kind);
  return failed(`the server does not accept its configuration: ${objection}`);
};

/** What the server says against its configuration; undefined when it accepts it. */
const tryConfiguration = async ({
  run,
  binaries,
  config,
}: PostgresContext): Promise<Answer<{ readonly objection: string | undefined }>> => {
  const result = await run({
    command: binaries.postgres,
    args: ['-D', config.postgresql.dataDirectory, '-c', 'lc_messages=C', '-C', 'data_directory'],
    env: toolEnvironment(),
    limitMs: CHECK_LIMIT_MS,
  });
  if (result.kind !== 'exited') return failed(describeEnd('postgres -C', result));
  if (result.code === 0) return { kind: 'done', objection: undefined };
  const complaints = result.stderr.split('\n').filter((line) => /(LOG|FATAL): /.test(line));
  return { kind: 'done', objection: complaints.join(' | ') };
};

const blamedParameters = (objections: string): readonly string[] =>
  [...objections.matchAll(/parameter "([^"]+)"/g)].map((match) => (match[1] ?? '').toLowerCase());

/** What the next start goes by, and what must not be touched under a running server. */
const prepareStart = async (
  { config, owner }: PostgresContext,
  as: ServerRole,
  control: ControlData,
): Promise<void> => {
  const { dataDirectory } = config.postgresql;
  const signal = join(dataDirectory, 'standby.signal');
  const walDirectory = join(dataDirectory, 'pg_wal');
  const standby = as === 'standby' || (await exists(signal));
  await removeDurably(join(dataDirectory, 'recovery.signal'));
  if (as === 'standby') await createDurably(signal, '', { mode: 0o600, owner });
  else await removeDurably(signal);
  const lineage = await lineageOnDisk({ walDirectory, control, standby });
  for (const number of await obsoleteHistories({ walDirectory, control, lineage }))
    await removeHistory(walDirectory, number);
  await placeHistories({ walDirectory, lineage, owner });
};
