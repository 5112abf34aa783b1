import { chmod, chown, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Answer, attempt, describeEnd, failed } from './answer.ts';
import { writeAtomically } from './atomic-file.ts';
import { type PostgresContext, serverEnvironment } from './context.ts';
import { readControlData } from './control-data.ts';
import { type DataLayout, dataLayout, isContent, makeDirectory } from './data-layout.ts';
import { readServerFile } from './server-file.ts';
import { ensureStateDirectory, setMarker } from './state-files.ts';

/** initdb writes some 40 MB and syncs them; slow disks take their time. */
const LIMIT_MS = 300_000;

/**
 * Makes a new cluster beside the data directory; `installData` puts it in place. The marker says
 * that it may be thrown away until a server has been prepared for its life in the cluster.
 */
export const initialise = (
  context: PostgresContext,
): Promise<Answer<{ readonly systemIdentifier: string }>> =>
  attempt('initialise a data directory', async () => {
    const { config } = context;
    const layout = await dataLayout(config.postgresql.dataDirectory);
    const found = await contentOf(layout.data);
    if (found.length > 0)
      return failed(`${layout.data} is not empty: ${found.slice(0, 3).join(', ')}`);
    await setMarker(context, 'bootstrap-unfinished');
    await makeFresh(context, layout);
    const password = await writePasswordFile(context);
    const result = await context.run({
      command: context.binaries.initdb,
      args: [
        `--pgdata=${layout.fresh}`,
        `--username=${config.postgresql.superuser.username}`,
        ...authentication(password),
        ...(config.bootstrap?.initdbOptions ?? []),
      ],
      // Its language and character set come from the environment unless options say otherwise.
      env: serverEnvironment(),
      limitMs: LIMIT_MS,
    });
    if (password !== undefined) await rm(password, { force: true });
    if (result.kind !== 'exited' || result.code !== 0) return failed(describeEnd('initdb', result));
    await appendHba(context, layout);
    const answer = await readControlData(context, layout.fresh);
    if (answer.kind !== 'done') return answer;
    const { systemIdentifier } = answer.control;
    await setMarker(context, 'bootstrap-unfinished', systemIdentifier);
    await setMarker(context, 'new-ready');
    return { kind: 'done', systemIdentifier };
  });

const contentOf = async (path: string): Promise<readonly string[]> =>
  (await readdir(path).catch(() => [])).filter(isContent);

/** An empty directory of the server's user, where a new data directory can grow. */
export const makeFresh = async (context: PostgresContext, layout: DataLayout): Promise<void> => {
  await rm(layout.fresh, { recursive: true, force: true });
  await makeDirectory(dirname(layout.fresh), context.owner);
  await mkdir(layout.fresh, { mode: 0o700 });
  if (context.owner !== undefined) await chown(layout.fresh, context.owner.uid, context.owner.gid);
  await chmod(layout.fresh, 0o700);
};

/** Later options win in initdb: what the configuration says of authentication holds. */
const authentication = (passwordFile: string | undefined): readonly string[] =>
  passwordFile === undefined
    ? ['--auth-local=peer', '--auth-host=reject']
    : ['--auth=scram-sha-256', `--pwfile=${passwordFile}`];

/** There only while initdb runs, or after a kill in the meantime. */
export const passwordFilePath = ({ config }: PostgresContext): string =>
  join(config.matriarch.stateDirectory, 'initdb-password');

const writePasswordFile = async (context: PostgresContext): Promise<string | undefined> => {
  const { password } = context.config.postgresql.superuser;
  if (password === undefined) return undefined;
  const path = passwordFilePath(context);
  await ensureStateDirectory(context);
  await rm(path, { force: true });
  await writeFile(path, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (context.owner !== undefined) await chown(path, context.owner.uid, context.owner.gid);
  return path;
};

/** `bootstrap.pg_hba` is for clusters whose pg_hba.conf nobody writes later. */
const appendHba = async (context: PostgresContext, { fresh }: DataLayout): Promise<void> => {
  const { config, settings, owner } = context;
  const lines = config.bootstrap?.pgHba ?? [];
  if (settings().pgHba !== undefined || lines.length === 0) return;
  const path = join(fresh, 'pg_hba.conf');
  const text = (await readServerFile(context, path)) ?? '';
  await writeAtomically(path, `${text}${lines.join('\n')}\n`, { mode: 0o600, owner });
};
