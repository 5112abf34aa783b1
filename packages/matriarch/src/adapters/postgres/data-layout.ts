import { access, chown, constants, mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './answer.ts';
import type { Owner } from './context.ts';

/**
 * Where a new data directory grows and where the replaced one is kept (rule S7). Both are on the
 * file system of the data directory, so that putting them in place is renaming, never copying.
 *
 * `beside`: siblings, `<data>.new` and `<data>.aside`; putting in place is two renames.
 * `inside`: the data directory is a mount point, or its parent is not ours to write. New and old
 *   lie in subdirectories, and putting in place moves every entry. PostgreSQL ignores the two
 *   names; while the old data is kept there, a base backup taken of this member contains it.
 */
export interface DataLayout {
  readonly kind: 'beside' | 'inside';
  /** The data directory itself, without symbolic links. */
  readonly data: string;
  readonly fresh: string;
  readonly aside: string;
}

/** Names of ours in a data directory of kind `inside`, and what a file system puts there itself. */
export const FRESH_INSIDE = 'matriarch.new';
export const ASIDE_INSIDE = 'matriarch.aside';
const NOT_CONTENT: ReadonlySet<string> = new Set(['lost+found', FRESH_INSIDE, ASIDE_INSIDE]);

export const isContent = (name: string): boolean => !NOT_CONTENT.has(name);

export const dataLayout = async (dataDirectory: string): Promise<DataLayout> => {
  const data = await resolve(dataDirectory);
  const parent = dirname(data);
  if ((await isMountPoint(data)) || !(await isWritable(parent)))
    return {
      kind: 'inside',
      data,
      fresh: join(data, FRESH_INSIDE),
      aside: join(data, ASIDE_INSIDE),
    };
  return { kind: 'beside', data, fresh: `${data}.new`, aside: `${data}.aside` };
};

const resolve = async (path: string): Promise<string> => {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    const parent = dirname(path);
    return parent === path ? path : join(await resolve(parent), basename(path));
  }
};

/** A bind mount has the device of its parent: only the mount table tells. */
const isMountPoint = async (path: string): Promise<boolean> => {
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const points = table.split('\n').map((line) => unescapeMount(line.split(' ')[4] ?? ''));
  if (points.includes(path)) return true;
  return (await deviceOf(path)) !== (await deviceOf(dirname(path)));
};

const unescapeMount = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/** The device a path is on; of a path that does not exist yet, its parent's. */
const deviceOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).dev;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return deviceOf(dirname(path));
  }
};

/**
 * Whether entries can be made in a directory; of one that does not exist, in its first ancestor.
 */
const isWritable = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) return false;
    return isWritable(dirname(path));
  }
};

/** Makes a directory and the missing ones above it, all of them the server user's alone. */
export const makeDirectory = async (path: string, owner: Owner | undefined): Promise<string> => {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined || owner === undefined) return path;
  for (let at = path; at.length >= first.length; at = dirname(at))
    await chown(at, owner.uid, owner.gid);
  return path;
};
