import { rm, writeFile } from 'node:fs/promises';
import type { ListenAddress } from '@matriarch/core';
import type { RunCommand } from '../../agent/ports/run-command.ts';
import type { DaemonSpec, FileVerdict } from '../../proxy/ports/daemon.ts';
import type { PortOutcome } from '../../proxy/ports/outcome.ts';
import { type AdminTarget, askAdmin } from './admin-console.ts';

const asUser = (user: string | undefined): readonly string[] =>
  user === undefined ? [] : ['-u', user];

/** PgBouncer in the foreground. It refuses to run as root: started as root it becomes `user`. */
export const pgbouncerDaemon = (options: {
  readonly program: string;
  readonly user: string | undefined;
  readonly configFile: string;
  readonly pidFile: string;
  readonly logFile: string;
  readonly listens: () => readonly ListenAddress[];
  readonly admin: () => AdminTarget;
}): DaemonSpec => ({
  name: 'pgbouncer',
  program: options.program,
  args: [...asUser(options.user), options.configFile],
  pidFile: options.pidFile,
  logFile: options.logFile,
  marker: options.configFile,
  listens: options.listens,
  isReady: async () => (await askAdmin(options.admin(), 'SHOW VERSION')).kind === 'done',
});

/** Reads the configuration and the list of users again. No connection is closed. */
export const reloadPgbouncer = async (admin: AdminTarget): Promise<PortOutcome> =>
  askAdmin(admin, 'RELOAD');

/** What PgBouncer reads at its start only. */
const FIXED_SETTINGS: readonly string[] = [
  'listen_addr',
  'listen_port',
  'unix_socket_dir',
  'pidfile',
];

const settingIn = (text: string, name: string): string | undefined =>
  new RegExp(`^${name} = (.*)$`, 'mu').exec(text)?.[1];

/** Whether the change from one rendered file to another takes more than a reload. */
export const takesRestart = (before: string, after: string): boolean =>
  FIXED_SETTINGS.some((name) => settingIn(before, name) !== settingIn(after, name));

const CHECK_LIMIT_MS = 10_000;
/** What PgBouncer says that has read its files and found no address in them. */
const READ_TO_THE_END = 'nowhere to listen on';

const withoutTime = (line: string): string => line.replace(/^\S+ \S+ \S+ \[\d+\] /u, '');

/**
 * PgBouncer has no option to check a file. So it is started on the file with its addresses taken
 * away: it reads everything, finds nothing to do and ends, within 20 ms and without a port, a
 * socket or a connection.
 */
export const checkPgbouncerConfig = async (check: {
  readonly program: string;
  readonly user: string | undefined;
  readonly file: string;
  /** Stands in for the list of users the file names: the one that is to take its place. */
  readonly userlist: string;
  readonly run: RunCommand;
}): Promise<FileVerdict> => {
  const deaf = `${check.file}.check`;
  const without = ['listen_addr', 'unix_socket_dir', 'pidfile', 'logfile'];
  const text = [
    `%include ${check.file}`,
    '[pgbouncer]',
    `auth_file = ${check.userlist}`,
    ...without.map((name) => `${name} =`),
    '',
  ];
  await writeFile(deaf, text.join('\n'), { mode: 0o644 });
  const result = await check.run({
    command: check.program,
    args: [...asUser(check.user), deaf],
    env: { LC_ALL: 'C' },
    limitMs: CHECK_LIMIT_MS,
  });
  await rm(deaf, { force: true });
  if (result.kind === 'not-found') {
    return { kind: 'refused', complaint: `${result.command} cannot be run` };
  }
  const lines = result.stderr.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => / ERROR /u.test(line));
  const isRead = result.stderr.includes(READ_TO_THE_END);
  if (isRead && errors.length === 0) return { kind: 'accepted' };
  const complaint = (errors.length > 0 ? errors : lines).map(withoutTime).join('\n');
  return { kind: 'refused', complaint: complaint === '' ? `it ${result.kind}` : complaint };
};
