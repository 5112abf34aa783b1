import type { DiskContent, DiskFacts } from '@matriarch/core';
import { readdir } from 'node:fs/promises';
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
    const disk: DiskFacts = {
      content: await inspectContent(context, layout),
      rewindUnfinished: await hasMarker(context, 'rewind-unfinished'),
      bootstrapUnfinished: await hasMarker(context, 'bootstrap-unfinished'),
      asideKept: await exists(layout.aside),
      newReady: await hasMarker(context, 'new-ready'),
      lastWords: await readLastWords(layout.data, serverLogPath(context)),
    };
    return { kind: 'done', disk };
  });

const inspectContent = async (
  context: PostgresContext,
  { data }: DataLayout,
): Promise<DiskContent> => {
  try {
    const names = (await readdir(data)).filter(isContent);
    if (names.length === 0) return { kind: 'empty' };
    // Killed while entries were being moved: what lies here is half of the old or of the new.
    if (await hasMarker(context, 'install-unfinished')) return { kind: 'empty' };
    if (!names.includes('PG_VERSION'))
      return { kind: 'not-ours', detail: `${data} has files in it, but no PG_VERSION` };
    return await inspectData(context, data);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { kind: 'empty' };
    if (codeOf(error) === 'ENOTDIR') return { kind: 'not-ours', detail: `${data} is a file` };
    if (codeOf(error) === undefined) throw error;
    return { kind: 'unreadable', detail: `${data} cannot be read: ${messageOf(error)}` };
  }
};

const inspectData = async (context: PostgresContext, data: string): Promise<DiskContent> => {
  const version = (await readTextIfThere(join(data, 'PG_VERSION')))?.trim();
  const { majorVersion } = context.binaries;
  if (version !== String(majorVersion))
    return {
      kind: 'unreadable',
      detail:
        `${data} is of PostgreSQL ${version}, the programs are of ${majorVersion}: ` +
        `set postgresql.bin_dir to those of ${version}`,
    };
  const answer = await readControlData(context, data);
  if (answer.kind !== 'done') return { kind: 'unreadable', detail: answer.cause };
  const { control } = answer;
  const standbySignal = await exists(join(data, 'standby.signal'));
  return {
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
  };
};
