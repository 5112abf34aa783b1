import { type Ancestor, formatLsn, type Lsn } from '@matriarch/core';
import { chown, constants, copyFile, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Answer, attempt, failed } from './answer.ts';
import { exists, syncDirectory, writeAtomically } from './atomic-file.ts';
import type { Owner, PostgresContext } from './context.ts';
import { type ControlData, readControlData } from './control-data.ts';
import { makeDirectory } from './data-layout.ts';
import { ensureStateDirectory } from './state-files.ts';
import { parseHistoryName, parseSegmentName } from './wal-files.ts';

const SPARE_BYTES = 64 * 1_024 * 1_024;

/**
 * Copies the WAL that only this server has, from the fork on, to where nothing removes it: it is
 * the last trace of what was acknowledged and is lost. `pg_waldump` reads it there.
 */
export const keepFork = (
  context: PostgresContext,
  { fork, end }: { readonly fork: Ancestor; readonly end: Lsn },
): Promise<Answer<{ readonly keptAt: string }>> =>
  attempt('keep the WAL behind the fork', async () => {
    const { dataDirectory } = context.config.postgresql;
    const answer = await readControlData(context, dataDirectory);
    if (answer.kind !== 'done') return answer;
    const forks = await ensureStateDirectory(context, 'forks');
    const name = `${fork.timeline}-${formatLsn(fork.switchLsn).replace('/', '-')}`;
    const keptAt = join(forks, name);
    if (await exists(keptAt)) return { kind: 'done', keptAt };

    const walDirectory = join(dataDirectory, 'pg_wal');
    const names = (await readdir(walDirectory)).filter((file) =>
      isBehindFork(file, { fork, end, control: answer.control }),
    );
    const needed = names.length * answer.control.walSegmentBytes + SPARE_BYTES;
    const { bavail, bsize } = await statfs(forks);
    if (bavail * bsize < needed)
      return failed(`too little space in ${forks} to keep ${names.length} files of WAL`);

    const growing = `${keptAt}.new`;
    await rm(growing, { recursive: true, force: true });
    await makeDirectory(growing, context.owner);
    for (const file of names)
      await copy(join(walDirectory, file), join(growing, file), context.owner);
    const facts = {
      systemIdentifier: answer.control.systemIdentifier,
      timeline: fork.timeline,
      from: formatLsn(fork.switchLsn),
      to: formatLsn(end),
    };
    await writeAtomically(join(growing, 'fork.json'), `${JSON.stringify(facts)}\n`, {
      mode: 0o600,
      owner: context.owner,
    });
    await syncDirectory(growing);
    await rename(growing, keptAt);
    await syncDirectory(forks);
    return { kind: 'done', keptAt };
  });

const isBehindFork = (
  name: string,
  range: { readonly fork: Ancestor; readonly end: Lsn; readonly control: ControlData },
): boolean => {
  const { fork, end, control } = range;
  if (parseHistoryName(name) !== undefined) return true;
  const segment = parseSegmentName(name, control.walSegmentBytes);
  if (segment === undefined || segment.timeline < fork.timeline) return false;
  const behind = segment.start + BigInt(control.walSegmentBytes);
  return segment.start < end && behind > fork.switchLsn;
};

const copy = async (from: string, to: string, owner: Owner | undefined): Promise<void> => {
  // Shared blocks where the file system can; never a link, since PostgreSQL writes old segments
  // anew.
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  if (owner !== undefined) await chown(to, owner.uid, owner.gid);
  if ((await stat(from)).size !== (await stat(to)).size) throw new Error(`${to} was cut short`);
};
