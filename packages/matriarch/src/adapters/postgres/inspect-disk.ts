import type { DiskContent, DiskFacts } from '@matriarch/core';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Answer, attempt, codeOf, messageOf } from './answer.ts';
import { exists, readTextIfThere } from './atomic-file.ts';
import type { PostgresContext } from './context.ts';
import { readControlData } from './control-data.ts';
import { type DataLayout, dataLayout, isContent } from './data-layout.ts';
import { lineageOnDisk } from './history-files.ts';
import { readLastWords } from './last-words.ts';
import { hasMarker, serverLogPath } from './state-files.ts';

/** Looks at the data directory of a server that does not run. Changes nothing. */
export const inspectDisk = (
  context: PostgresContext,
): Promise<Answer<{ readonly disk: DiskFacts }>> =>
  attempt(`look at ${context.config.postgresql.dataDirectory}`, async () => {
    const layout = await dataLayout(context.config.postgresql.dataDirectory);
    const looked = await inspectContent(context, layout);
    if (looked.kind !== 'done') return looked;
    const disk: DiskFacts = {
      content: looked.content,
      rewindUnfinished: await hasMarker(context, 'rewind-unfinished'),
      bootstrapUnfinished: await hasMarker(context, 'bootstrap-unfinished'),
      asideKept: (await exists(layout.aside)) || (await exists(layout.fresh)),
      newReady: await hasMarker(context, 'new-ready'),
      lastWords: await readLastWords(layout.data, serverLogPath(context)),
    };
    return { kind: 'done', disk };
  });

type Found = Answer<{ readonly content: DiskContent }>;

const found = (content: DiskContent): Found => ({ kind: 'done', content });

const inspectContent = async (context: PostgresContext, { data }: DataLayout): Promise<Found> => {
  try {
    const names = (await readdir(data)).filter(isContent);
    if (names.length === 0) return found({ kind: 'empty' });
    // Killed while entries were being moved: what lies here is half of the old or of the new.
    if (await hasMarker(context, 'install-unfinished')) return found({ kind: 'empty' });
    if (!names.includes('PG_VERSION'))
      return found({ kind: 'not-ours', detail: `${data} has files in it, but no PG_VERSION` });
    const detail = (await whyOfNoUse(context, data)) ?? (await whyNotOwned(context, data));
    if (detail !== undefined) return found({ kind: 'unreadable', detail });
    return await inspectData(context, data);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return found({ kind: 'empty' });
    if (code === 'ENOTDIR') return found({ kind: 'not-ours', detail: `${data} is a file` });
    if (code === undefined) throw error;
    const detail = `${data} cannot be read: ${messageOf(error)}`;
    return found({ kind: 'unreadable', detail });
  }
};

const whyOfNoUse = async (
  { binaries }: PostgresContext,
  data: string,
): Promise<string | undefined> => {
  const version = (await readTextIfThere(join(data, 'PG_VERSION')))?.trim();
  if (version === String(binaries.majorVersion)) return undefined;
  return (
    `${data} is of PostgreSQL ${version}, the programs are of ${binaries.majorVersion}: ` +
    `set postgresql.bin_dir to those of ${version}`
  );
};

/** PostgreSQL starts on a directory of its own user only. */
const whyNotOwned = async (
  { owner }: PostgresContext,
  data: string,
): Promise<string | undefined> => {
  const uid = owner?.uid ?? process.getuid?.();
  const actual = (await stat(data)).uid;
  if (uid === undefined || actual === uid) return undefined;
  return `${data} belongs to user ${actual}, PostgreSQL is to run as ${uid}: change one of them`;
};

const inspectData = async (context: PostgresContext, data: string): Promise<Found> => {
  const answer = await readControlData(context, data);
  if (answer.kind === 'failed') return found({ kind: 'unreadable', detail: answer.cause });
  if (answer.kind === 'unknown') return answer;
  const { control } = answer;
  const standbySignal = await exists(join(data, 'standby.signal'));
  return found({
    kind: 'data',
    systemIdentifier: control.systemIdentifier,
    control: control.state,
    lineage: await lineageOnDisk({
      walDirectory: join(data, 'pg_wal'),
      control,
      standby: standbySignal,
    }),
    standbySignal,
    end: undefined,
    rewindable: control.checksums || control.walLogHints,
  });
};
