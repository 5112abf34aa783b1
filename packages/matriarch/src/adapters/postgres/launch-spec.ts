import type { LaunchSpec } from '@matriarch/core';
import { type Answer, attempt } from './answer.ts';
import { type PostgresContext, serverEnvironment } from './context.ts';
import { readControlData } from './control-data.ts';
import type { ServerRole } from './prepare-server.ts';
import { privateHbaPath, privateSocketDirectory } from './private-socket.ts';
import { refusedOf, resolveParameters } from './server-parameters.ts';
import { serverLogPath } from './state-files.ts';

/**
 * How the guard starts the postmaster. What members must agree on, or what must not be changed from
 * inside, stands on the command line. A private server has no port and a socket only we can reach.
 */
export const launchSpec = (
  context: PostgresContext,
  as: ServerRole,
): Promise<Answer<{ readonly launch: LaunchSpec }>> =>
  attempt('tell how to start the server', async () => {
    const { config, binaries, owner, settings } = context;
    const { dataDirectory } = config.postgresql;
    const answer = await readControlData(context, dataDirectory);
    if (answer.kind !== 'done') return answer;
    const wanted = settings().parameters;
    const { commandLine } = resolveParameters({
      wanted,
      minimums: as === 'standby' ? answer.control.minimums : {},
      refused: refusedOf(binaries.postgres, wanted),
    });
    const parameters = as === 'private' ? { ...commandLine, ...privately(context) } : commandLine;
    const launch: LaunchSpec = {
      command: binaries.postgres,
      arguments: [
        '-D',
        dataDirectory,
        ...Object.entries(parameters).map(([name, value]) => `--${name}=${value}`),
      ],
      environment: serverEnvironment(),
      dataDirectory,
      logFile: serverLogPath(context),
      user: owner,
    };
    return { kind: 'done', launch };
  });

const privately = (context: PostgresContext) => ({
  listen_addresses: '',
  unix_socket_directories: privateSocketDirectory(context),
  hba_file: privateHbaPath(context),
});
