import { readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Answer, attempt, codeOf, done, failed, type Nothing } from './answer.ts';
import { exists, syncDirectory } from './atomic-file.ts';
import type { PostgresContext } from './context.ts';
import { readControlData } from './control-data.ts';
import { type DataLayout, dataLayout, isContent, makeDirectory } from './data-layout.ts';
import { passwordFilePath } from './initialise.ts';
import { isServerRunning } from './own-process.ts';
import { clearMarker, hasMarker, readMarker, setMarker } from './state-files.ts';

/** Holds pg_control: as long as it is not in place, PostgreSQL takes the directory for no data. */
const LAST_MOVED = 'global';

/**
 * Puts the new data directory in the place of the old one, which is kept aside (rule S7). Killed
 * between any two of its steps, the same call finishes what was begun.
 *
 *   new-ready ─▶ install-unfinished `out`: old ▷ aside ─▶ `in`: new ▷ data ─▶ no marker
 *                        or `drop`: old removed ─────▲
 */
export const installData = (context: PostgresContext): Promise<Answer<Nothing>> =>
  attempt('put the new data directory in place', async () => {
    const layout = await dataLayout(context.config.postgresql.dataDirectory);
    if (await isServerRunning(layout.data)) return failed(`a server runs on ${layout.data}`);
    if (!(await hasMarker(context, 'new-ready')))
      return failed(`there is no complete new data directory at ${layout.fresh}`);
    const step = (await readMarker(context, 'install-unfinished')) ?? (await firstStep(layout));
    if (step !== 'in') {
      await setMarker(context, 'install-unfinished', step);
      if (step === 'drop') await removeContent(layout);
      else await moveOut(context, layout);
      await setMarker(context, 'install-unfinished', 'in');
    }
    await moveIn(layout);
    await clearMarker(context, 'rewind-unfinished');
    await clearMarker(context, 'new-ready');
    await clearMarker(context, 'install-unfinished');
    return done;
  });

const entriesOf = async (path: string): Promise<readonly string[]> => {
  try {
    return await readdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
};

const contentOf = async (path: string): Promise<readonly string[]> =>
  (await entriesOf(path)).filter(isContent);

const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });

/**
 * At most one old data directory is kept. One that is kept already is the better one: what replaced
 * it has never streamed, or it would have been discarded.
 */
const firstStep = async ({ aside }: DataLayout): Promise<'drop' | 'out'> =>
  (await exists(aside)) ? 'drop' : 'out';

const moveOut = async (
  { owner }: PostgresContext,
  { kind, data, aside }: DataLayout,
): Promise<void> => {
  const content = await contentOf(data);
  if (content.length === 0) return;
  if (kind === 'beside') {
    await rename(data, aside);
    await syncDirectory(dirname(data));
    return;
  }
  await makeDirectory(aside, owner);
  // pg_control's directory goes first: half a data directory must not look like a whole one.
  for (const name of [...inOrder(content)].reverse())
    await rename(join(data, name), join(aside, name));
  await syncDirectory(data);
};

const moveIn = async ({ kind, data, fresh }: DataLayout): Promise<void> => {
  if (!(await exists(fresh))) return;
  if (kind === 'beside') {
    await remove(data);
    await rename(fresh, data);
    await syncDirectory(dirname(data));
    return;
  }
  for (const name of inOrder(await entriesOf(fresh)))
    await rename(join(fresh, name), join(data, name));
  await syncDirectory(data);
  await remove(fresh);
};

const inOrder = (names: readonly string[]): readonly string[] => [
  ...names.filter((name) => name !== LAST_MOVED),
  ...names.filter((name) => name === LAST_MOVED),
];

/** Removes for good what lies beside a data directory that works: a replaced or a half-made one. */
export const discardAside = (context: PostgresContext): Promise<Answer<Nothing>> =>
  attempt('remove the replaced data directory', async () => {
    const layout = await dataLayout(context.config.postgresql.dataDirectory);
    await remove(layout.aside);
    await remove(layout.fresh);
    await clearMarker(context, 'new-ready');
    return done;
  });

/**
 * Removes what a bootstrap or a clone left that did not finish. The data directory itself only when
 * it holds what our own bootstrap made, as its system identifier tells.
 */
export const discardUnfinished = (context: PostgresContext): Promise<Answer<Nothing>> =>
  attempt('remove what was left unfinished', async () => {
    const layout = await dataLayout(context.config.postgresql.dataDirectory);
    if (await isServerRunning(layout.data)) return failed(`a server runs on ${layout.data}`);
    if (await isUnfinished(context, layout)) await removeContent(layout);
    await remove(layout.fresh);
    await remove(passwordFilePath(context));
    await clearMarker(context, 'new-ready');
    await clearMarker(context, 'install-unfinished');
    await clearMarker(context, 'bootstrap-unfinished');
    return done;
  });

/** The data directory holds what our bootstrap made, or a part of what was being moved in. */
const isUnfinished = async (context: PostgresContext, { data }: DataLayout): Promise<boolean> => {
  if ((await readMarker(context, 'install-unfinished')) === 'in') return true;
  const made = await readMarker(context, 'bootstrap-unfinished');
  if (made === undefined || made === '') return false;
  const answer = await readControlData(context, data);
  return answer.kind === 'done' && answer.control.systemIdentifier === made;
};

const removeContent = async ({ data }: DataLayout): Promise<void> => {
  await remove(join(data, LAST_MOVED));
  for (const name of await contentOf(data)) await remove(join(data, name));
};
