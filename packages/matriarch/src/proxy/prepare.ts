import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { findProgram, runProgram } from './daemons/programs.ts';
import { type Owner, readIfThere, replaceFile } from './files.ts';
import {
  type DaemonLabel,
  HAPROXY,
  PGBOUNCER,
  type ProxyProblem,
  programMissing,
} from './problem.ts';
import {
  type PgbouncerSettings,
  type ProxyPaths,
  type ProxySettings,
  findSocketProblem,
  layOutProxy,
} from './settings.ts';

const LOOKUP_LIMIT_MS = 10_000;

/** Undefined when there is no such user. */
const findOwner = async (user: string): Promise<Owner | undefined> => {
  const ask = async (option: string): Promise<number> => {
    const result = await runProgram({
      command: 'id',
      args: [option, '--', user],
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
      limitMs: LOOKUP_LIMIT_MS,
    });
    return result.kind === 'exited' && result.code === 0 ? Number(result.stdout) : Number.NaN;
  };
  const owner = { uid: await ask('-u'), gid: await ask('-g') };
  return Number.isInteger(owner.uid) && Number.isInteger(owner.gid) ? owner : undefined;
};

const isRoot = (): boolean => userInfo().uid === 0;

/** The users that Debian's packages make for these programs. */
const HAPROXY_USER = 'haproxy';
const PGBOUNCER_USERS = ['pgbouncer', 'postgres'];

/** A user and what the files it reads must belong to. */
export interface RunAs {
  readonly user: string;
  readonly owner: Owner;
}

type Found<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'problem'; readonly problem: ProxyProblem };

const found = <T>(value: T): Found<T> => ({ kind: 'found', value });

const unknownUser = (message: string): Found<never> => ({
  kind: 'problem',
  problem: { code: 'operating-user-unknown', message },
});

/** PgBouncer's user: as root one must be found, else there is nothing to change to. */
export const findPgbouncerUser = async (
  settings: PgbouncerSettings,
): Promise<Found<RunAs | undefined>> => {
  if (!isRoot()) return found(undefined);
  const candidates = settings.user === undefined ? PGBOUNCER_USERS : [settings.user];
  for (const user of candidates) {
    const owner = await findOwner(user);
    if (owner?.uid === 0) {
      return unknownUser(`PgBouncer does not run as root: name another user than ${user}.`);
    }
    if (owner !== undefined) return found({ user, owner });
  }
  return unknownUser(
    `PgBouncer does not run as root, and there is no user ${candidates.join(' or ')}: ` +
      'create it, or name another one.',
  );
};

/** HAProxy's user when none is named: its package's, as root and if there is one. */
export const findHaproxyUser = async (
  settings: ProxySettings,
): Promise<{ readonly user: string; readonly group: string } | undefined> => {
  if (!isRoot()) return undefined;
  if (settings.haproxy.runAs !== undefined) return settings.haproxy.runAs;
  const owner = await findOwner(HAPROXY_USER);
  return owner === undefined ? undefined : { user: HAPROXY_USER, group: HAPROXY_USER };
};

export const locateProgram = async (label: DaemonLabel, name: string): Promise<Found<string>> => {
  const program = await findProgram(name);
  return program === undefined
    ? { kind: 'problem', problem: programMissing(label, name) }
    : found(program);
};

const makeDirectory = async (path: string, mode: number, owner?: Owner): Promise<void> => {
  await mkdir(path, { recursive: true });
  // Whatever the umask has made of it.
  await chmod(path, mode);
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
};

/** Directories, with what each user may see of them. Refuses sockets whose path is too long. */
export const prepareDirectories = async (
  place: { readonly paths: ProxyPaths; readonly directory: string; readonly sockets: string },
  pgbouncerOwner: Owner | undefined,
): Promise<ProxyProblem | undefined> => {
  const message = findSocketProblem(place.sockets);
  if (message !== undefined) return { code: 'configuration-invalid', message };
  const { haproxy, pgbouncer } = place.paths;
  // To be passed through, to a file one knows, by the users of the two programs.
  await makeDirectory(place.directory, 0o711);
  await makeDirectory(place.sockets, 0o711);
  await makeDirectory(haproxy.directory, 0o700);
  await makeDirectory(pgbouncer.directory, 0o700, pgbouncerOwner);
  await makeDirectory(pgbouncer.socketDirectory, 0o755, pgbouncerOwner);
  return undefined;
};

const SECRET_BYTES = 24;

/**
 * The proxy's password for the admin console. Kept: a PgBouncer that is adopted knows the old one.
 */
export const keepAdminSecret = async (path: string): Promise<string> => {
  const kept = (await readIfThere(path))?.trim();
  if (kept !== undefined && kept !== '') return kept;
  const secret = randomBytes(SECRET_BYTES).toString('hex');
  await replaceFile({ path, text: `${secret}\n`, mode: 0o600, owner: undefined });
  return secret;
};

/** Where the files of one proxy lie. */
export interface ProxyPlace {
  /** Made if need be. */
  readonly directory: string;
  /** Of the sockets; a short path. */
  readonly socketDirectory: string;
}

/** What was found out before anything is written. */
export interface Prepared {
  readonly place: ProxyPlace;
  readonly paths: ProxyPaths;
  readonly haproxyProgram: string;
  readonly pgbouncerProgram: string | undefined;
  readonly pgbouncerUser: RunAs | undefined;
  readonly runAs: { readonly user: string; readonly group: string } | undefined;
  readonly adminSecret: string;
}

export const prepareProxy = async (
  place: ProxyPlace,
  settings: ProxySettings,
): Promise<Prepared | { readonly problems: readonly ProxyProblem[] }> => {
  const { directory, socketDirectory: sockets } = place;
  const { haproxy, pgbouncer } = settings;
  const problems: ProxyProblem[] = [];
  const keep = <T>(answer: Found<T>): T | undefined => {
    if (answer.kind === 'found') return answer.value;
    problems.push(answer.problem);
    return undefined;
  };
  const haproxyProgram = keep(await locateProgram(HAPROXY, haproxy.program ?? 'haproxy'));
  const pgbouncerProgram =
    pgbouncer && keep(await locateProgram(PGBOUNCER, pgbouncer.program ?? 'pgbouncer'));
  const pgbouncerUser = pgbouncer && keep(await findPgbouncerUser(pgbouncer));
  const runAs = await findHaproxyUser(settings);
  const paths = layOutProxy(directory, sockets);
  if (problems.length > 0 || haproxyProgram === undefined) return { problems };
  const problem = await prepareDirectories({ paths, directory, sockets }, pgbouncerUser?.owner);
  if (problem !== undefined) return { problems: [problem] };
  const adminSecret = await keepAdminSecret(paths.pgbouncer.adminSecret);
  return {
    place,
    paths,
    haproxyProgram,
    pgbouncerProgram,
    pgbouncerUser,
    runAs,
    adminSecret,
  };
};
