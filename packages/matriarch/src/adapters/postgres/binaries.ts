import { access, constants, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CommandResult, RunCommand } from '../../agent/ports/run-command.ts';
import { codeOf } from './answer.ts';
import { readTextIfThere } from './atomic-file.ts';
import { toolEnvironment } from './context.ts';

/** The programs of PostgreSQL that are needed, with the Debian package each comes in. */
const PROGRAMS = {
  postgres: 'postgresql',
  initdb: 'postgresql',
  pg_controldata: 'postgresql',
  pg_basebackup: 'postgresql-client',
  pg_rewind: 'postgresql',
  pg_waldump: 'postgresql',
} as const;

type Program = keyof typeof PROGRAMS;

/** The full path of each program, and the major version all of them have. */
export type Binaries = Readonly<Record<Program, string>> & { readonly majorVersion: number };

export type FoundBinaries =
  | { readonly kind: 'found'; readonly binaries: Binaries }
  /** Everything that is missing or does not fit, in words for the operator. */
  | { readonly kind: 'missing'; readonly problems: readonly string[] };

export const OLDEST_VERSION = 13;
export const NEWEST_VERSION = 18;

const VERSION_LIMIT_MS = 10_000;
const USUAL_PARENTS = ['/usr/lib/postgresql', '/usr/local/lib/postgresql'];
const USUAL_DIRECTORIES = ['/usr/local/pgsql/bin', '/usr/pgsql/bin'];

/**
 * Finds the programs and runs each with `--version`, as the user that will run them later. Looks in
 * `binDirectory` only when it is given; else where a data directory of that version needs them, on
 * the PATH, and in the usual places of the distributions, newest version first.
 */
export const findBinaries = async (search: {
  readonly binDirectory: string | undefined;
  readonly dataDirectory: string;
  readonly run: RunCommand;
}): Promise<FoundBinaries> => {
  const wanted = await dataVersion(search.dataDirectory);
  const directories =
    search.binDirectory === undefined ? await candidates(wanted) : [search.binDirectory];
  const serving = await withServer(directories);
  let first: FoundBinaries | undefined;
  for (const directory of serving) {
    const found = await tryAll(directory, search.run);
    if (found.kind === 'found') return found;
    first ??= found;
  }
  return (
    first ?? {
      kind: 'missing',
      problems: [
        `no program named postgres in ${directories.join(', ')}: install the package ` +
          `postgresql-${wanted ?? 'NN'} (NN between ${OLDEST_VERSION} and ${NEWEST_VERSION}), ` +
          'or set postgresql.bin_dir',
      ],
    }
  );
};

const dataVersion = async (dataDirectory: string): Promise<string | undefined> => {
  const text = await readTextIfThere(join(dataDirectory, 'PG_VERSION')).catch(() => undefined);
  return text === undefined ? undefined : text.trim();
};

const candidates = async (wanted: string | undefined): Promise<readonly string[]> => {
  const versions: string[] = [];
  for (const parent of USUAL_PARENTS) {
    const names = await readdir(parent).catch(() => []);
    versions.push(...names.filter((name) => /^\d+$/.test(name)).map((name) => join(parent, name)));
  }
  versions.sort((a, b) => Number(b.split('/').at(-1)) - Number(a.split('/').at(-1)));
  const fitting = versions.filter((path) => path.endsWith(`/${wanted}`));
  const onPath = (process.env['PATH'] ?? '').split(':').filter((path) => path.startsWith('/'));
  return [
    ...fitting.map((path) => join(path, 'bin')),
    ...onPath,
    ...versions.map((path) => join(path, 'bin')),
    ...USUAL_DIRECTORIES,
  ];
};

/** Where the server really is: a link to it on the PATH has not the other programs beside it. */
const withServer = async (directories: readonly string[]): Promise<ReadonlySet<string>> => {
  const found = new Set<string>();
  for (const directory of directories) {
    try {
      const server = await realpath(join(directory, 'postgres'));
      await access(server, constants.X_OK);
      found.add(dirname(server));
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
    }
  }
  return found;
};

const tryAll = async (directory: string, run: RunCommand): Promise<FoundBinaries> => {
  const names = Object.keys(PROGRAMS) as Program[];
  const answers = await Promise.all(
    names.map(async (name) => ({
      name,
      result: await run({
        command: join(directory, name),
        args: ['--version'],
        env: toolEnvironment(),
        limitMs: VERSION_LIMIT_MS,
      }),
    })),
  );
  const server = answers.find(({ name }) => name === 'postgres');
  const majorVersion = server === undefined ? undefined : parseMajorVersion(server.result);
  const problems = answers.flatMap(({ name, result }) =>
    problemOf({ name, directory, result, majorVersion }),
  );
  if (majorVersion === undefined || problems.length > 0) return { kind: 'missing', problems };
  const path = (name: Program): string => join(directory, name);
  return {
    kind: 'found',
    binaries: {
      postgres: path('postgres'),
      initdb: path('initdb'),
      pg_controldata: path('pg_controldata'),
      pg_basebackup: path('pg_basebackup'),
      pg_rewind: path('pg_rewind'),
      pg_waldump: path('pg_waldump'),
      majorVersion,
    },
  };
};

/** `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `… 18beta1` */
export const parseMajorVersion = (result: CommandResult): number | undefined => {
  if (result.kind !== 'exited' || result.code !== 0) return undefined;
  const match = /\(PostgreSQL\) (\d+)/.exec(result.stdout);
  return match === null ? undefined : Number(match[1]);
};

const problemOf = (tried: {
  readonly name: Program;
  readonly directory: string;
  readonly result: CommandResult;
  readonly majorVersion: number | undefined;
}): readonly string[] => {
  const { name, directory, result, majorVersion } = tried;
  const path = join(directory, name);
  const own = parseMajorVersion(result);
  const packageName = `${PROGRAMS[name]}-${majorVersion ?? own ?? 'NN'}`;
  if (own === undefined) return [`${path} cannot be run: install the package ${packageName}`];
  if (own !== majorVersion)
    return [
      `${path} has version ${own}, postgres beside it ${majorVersion}: set postgresql.bin_dir`,
    ];
  if (name === 'postgres' && (own < OLDEST_VERSION || own > NEWEST_VERSION))
    return [
      `${path} has version ${own}; supported are ${OLDEST_VERSION} to ${NEWEST_VERSION}: ` +
        'set postgresql.bin_dir',
    ];
  return [];
};
