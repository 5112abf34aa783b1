/** Looks at the machine: what is there of what a run needs. Changes nothing. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { PROGRAMS, areModulesMissing } from './plan.mjs';

/** @typedef {import('./plan.mjs').LockedModules} LockedModules */
/** @typedef {import('./plan.mjs').Machine} Machine */
/** @typedef {import('./plan.mjs').Program} Program */
/** @typedef {import('./plan.mjs').Purpose} Purpose */

const COMMAND_LIMIT_MS = 10_000;
/** Debian keeps servers out of the PATH of ordinary users. */
const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin'];
/** Where Debian, the PostgreSQL project and a build from source put the server. */
const POSTGRES_PARENTS = ['/usr/lib/postgresql', '/usr/pgsql', '/opt/postgresql'];

/** @param {string} path @returns {boolean} */
const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** @param {string} directory @returns {string[]} */
const listDirectory = (directory) => {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
};

/** @param {string} path @returns {number | undefined} When it was changed, in ms since 1970. */
const changedAt = (path) => {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
};

/** @returns {string[]} Directories that may hold programs, the PATH's first. */
const programDirectories = () => {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((part) => part !== '');
  const postgres = POSTGRES_PARENTS.flatMap((parent) =>
    listDirectory(parent)
      .sort((left, right) => Number(right) - Number(left))
      .map((version) => join(parent, version, 'bin')),
  );
  return [...path, ...SYSTEM_DIRECTORIES, ...postgres, '/usr/local/pgsql/bin'];
};

/**
 * The directory that holds all of the program's executables. Debian's `psql` in `/usr/bin` alone is
 * no server.
 *
 * @param {Program} program
 * @returns {string | undefined}
 */
export const findProgram = (program) =>
  programDirectories().find((directory) =>
    program.files.every((file) => isExecutable(join(directory, file))),
  );

/** @param {Purpose} purpose @returns {Program[]} What a run for this purpose lacks. */
export const findMissing = (purpose) =>
  PROGRAMS.filter((program) => program.for.includes(purpose) && findProgram(program) === undefined);

/** @param {string} path @returns {LockedModules | undefined} */
const readLock = (path) => {
  try {
    const lock = /** @type {{ packages: LockedModules }} */ (
      JSON.parse(readFileSync(path, 'utf8'))
    );
    return lock.packages;
  } catch {
    return undefined;
  }
};

/** @returns {number | undefined} */
const readListsAge = () => {
  const lists = '/var/lib/apt/lists';
  if (!listDirectory(lists).some((name) => name.includes('_Packages'))) return undefined;
  // The files carry the server's dates; the directories change when apt-get update has run.
  const times = [lists, join(lists, 'partial')].map((path) => changedAt(path) ?? 0);
  return Date.now() - Math.max(...times);
};

/** @param {boolean} hasTerminal @returns {boolean} */
const maySudo = (hasTerminal) => {
  if (!programDirectories().some((directory) => isExecutable(join(directory, 'sudo'))))
    return false;
  if (hasTerminal) return true;
  return spawnSync('sudo', ['-n', 'true'], { timeout: COMMAND_LIMIT_MS }).status === 0;
};

/**
 * @param {{ root: string, purpose: Purpose, yes: boolean }} request
 * @returns {Machine}
 */
export const observeMachine = ({ root, purpose, yes }) => {
  const hasTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const missing = findMissing(purpose);
  const isRoot = process.getuid?.() === 0;
  return {
    nodeVersion: process.version,
    modulesMissing: areModulesMissing(
      readLock(join(root, 'package-lock.json')) ?? {},
      readLock(join(root, 'node_modules/.package-lock.json')),
    ),
    missing,
    hasApt: programDirectories().some((directory) => isExecutable(join(directory, 'apt-get'))),
    isRoot,
    canSudo: missing.length > 0 && !isRoot && maySudo(hasTerminal),
    listsAgeMs: readListsAge(),
    mayAsk: hasTerminal && !yes && process.env['CI'] !== 'true',
  };
};
