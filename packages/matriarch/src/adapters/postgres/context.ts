import type { AgentConfig } from '@matriarch/protocol';
import type { RunCommand } from '../../agent/ports/run-command.ts';
import type { ServerSettings } from '../../agent/ports/server-settings.ts';
import type { Binaries } from './binaries.ts';

/** The user PostgreSQL runs as. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What every call of this adapter works with. */
export interface PostgresContext {
  readonly config: AgentConfig;
  /** Runs programs as the user PostgreSQL runs as. */
  readonly run: RunCommand;
  readonly binaries: Binaries;
  /** Whom the files we write belong to; undefined: the agent itself runs as that user. */
  readonly owner: Owner | undefined;
  /** Read again for every call, since the dynamic configuration changes. */
  readonly settings: () => ServerSettings;
}

/** Variables that would change what PostgreSQL or its tools do, or that hold secrets of ours. */
const NOT_INHERITED = /^(PG|PATRONI_|KUBERNETES_|MATRIARCH_|NOTIFY_SOCKET$|LISTEN_|NODE_|npm_)/;
/** Set by whoever starts PostgreSQL under a memory limit; the postmaster reads them itself. */
const INHERITED_ALL_THE_SAME = /^PG_OOM_ADJUST_/;

/** Root's own: libpq looks for certificates under HOME and fails when it may not even look. */
const NOT_INHERITED_FROM_ROOT = /^(HOME|USER|LOGNAME|MAIL|XDG_.*)$/;

const isMeantForServer = (name: string, isRoot: boolean): boolean => {
  if (isRoot && NOT_INHERITED_FROM_ROOT.test(name)) return false;
  return INHERITED_ALL_THE_SAME.test(name) || !NOT_INHERITED.test(name);
};

/** The agent's environment without what is not meant for PostgreSQL. */
export const serverEnvironment = (
  environment: Readonly<Record<string, string | undefined>> = process.env,
  isRoot: boolean = process.getuid?.() === 0,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && isMeantForServer(name, isRoot) ? [[name, value]] : [],
    ),
  );

/** For programs whose output we read: messages in English. */
export const toolEnvironment = (
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> => ({ ...serverEnvironment(), LC_ALL: 'C', ...extra });
