/**
 * Running a program as another user, bound to the life of its parent. setpriv (util-linux) replaces
 * itself with the program, so that the pid, exit status and signals are the program's own; runuser
 * and sudo fork.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Owner } from './owner-rights.ts';

const SETPRIV = 'setpriv';
/** setpriv is looked for here when PATH does not know it. */
const SYSTEM_PATH = '/usr/bin:/bin:/usr/sbin:/sbin';
/** Directory services may be slow, or down. */
const LOOKUP_LIMIT_MS = 5_000;

export interface User extends Owner {
  readonly name: string;
}

export type UserLookup =
  | { readonly kind: 'found'; readonly user: User }
  | { readonly kind: 'unknown'; readonly name: string };

const NAME = 0;
const UID = 2;
const GID = 3;

const parseEntry = (line: string): User | undefined => {
  const fields = line.split(':');
  const name = fields[NAME];
  const uid = Number(fields[UID] || Number.NaN);
  const gid = Number(fields[GID] || Number.NaN);
  if (name === undefined || !Number.isInteger(uid) || !Number.isInteger(gid)) return undefined;
  return { name, uid, gid };
};

/** /etc/passwd first, since that cannot hang; then whatever else the host asks, by getent. */
const findEntry = (wanted: (user: User) => boolean, key: string): User | undefined => {
  const pick = (text: string): User | undefined =>
    text
      .split('\n')
      .map(parseEntry)
      .find((user) => user !== undefined && wanted(user));
  const local = pick(readFileSync('/etc/passwd', 'utf8'));
  if (local !== undefined) return local;
  const options = { encoding: 'utf8', timeout: LOOKUP_LIMIT_MS } as const;
  const { stdout } = spawnSync('getent', ['passwd', key], options);
  return pick(stdout ?? '');
};

/** Takes a name or a numeric user id, as a configuration file may have either. */
export const resolveUser = (nameOrId: string): UserLookup => {
  const id = /^\d+$/.test(nameOrId) ? Number(nameOrId) : undefined;
  const user = findEntry(({ name, uid }) => name === nameOrId || uid === id, nameOrId);
  return user === undefined ? { kind: 'unknown', name: nameOrId } : { kind: 'found', user };
};

/** Where a program is; undefined when no file of that name may be executed. */
export const findProgram = (command: string, path: string | undefined): string | undefined => {
  const candidates = isAbsolute(command)
    ? [command]
    : (path ?? SYSTEM_PATH).split(delimiter).map((directory) => join(directory, command));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
};

export interface RunAs {
  /** Undefined, or the own user: the program runs as its parent does. */
  readonly user: Owner | undefined;
  /**
   * Sent by the kernel to the program at the instant its parent dies. For PostgreSQL QUIT: it ends
   * its backends; KILL would end the postmaster alone. For everything else KILL.
   */
  readonly deathSignal: 'QUIT' | 'KILL';
}

export type Prefix =
  | { readonly kind: 'prefix'; readonly argv: readonly [string, ...string[]] }
  | { readonly kind: 'impossible'; readonly cause: string };

/** What goes before a command line. */
export const buildPrefix = ({ user, deathSignal }: RunAs): Prefix => {
  const setpriv = findProgram(SETPRIV, process.env['PATH']) ?? findProgram(SETPRIV, SYSTEM_PATH);
  if (setpriv === undefined)
    return { kind: 'impossible', cause: 'there is no setpriv: install the package util-linux' };
  const own = process.geteuid?.();
  const change = user === undefined || user.uid === own ? [] : changeUser(user);
  if (change.length > 0 && own !== 0) {
    const cause = `only root can run programs as user ${user?.uid}; this is user ${own}`;
    return { kind: 'impossible', cause };
  }
  return { kind: 'prefix', argv: [setpriv, ...change, `--pdeathsig=${deathSignal}`, '--'] };
};

const changeUser = ({ uid, gid }: Owner): readonly string[] => {
  const known = findEntry((user) => user.uid === uid, String(uid)) !== undefined;
  // A user without an entry has no groups to look up; containers run servers as such users.
  const groups = known ? '--init-groups' : '--clear-groups';
  return [`--reuid=${uid}`, `--regid=${gid}`, groups, '--inh-caps=-all'];
};
