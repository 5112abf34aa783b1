import { parseAddress, type Upstream } from '@matriarch/core';
import { join } from 'node:path';
import { writePassFile } from './access-files.ts';
import { type Answer, attempt, describeEnd, done, failed, type Nothing } from './answer.ts';
import { exists, removeDurably } from './atomic-file.ts';
import { type OnProgress, parseProgress } from './clone.ts';
import { type PostgresContext, toolEnvironment } from './context.ts';
import { type ControlData, readControlData } from './control-data.ts';
import { dataLayout } from './data-layout.ts';
import { isServerRunning } from './own-process.ts';
import { createStallGuard } from './stall.ts';
import { clearMarker, ensureStateDirectory, hasMarker, setMarker } from './state-files.ts';
import { upstreamConninfo } from './upstream-target.ts';

/** With --progress pg_rewind says this right before it writes for the first time. */
export const BEGINS_TO_WRITE = /^pg_rewind: need to copy /;

/**
 * Takes back what this data directory has and the other server has not. Until pg_rewind begins to
 * write, a failure leaves the data as it was; afterwards only a clone helps, and the marker says
 * so.
 */
export const rewind = (
  context: PostgresContext,
  to: Upstream,
  onProgress: OnProgress = () => undefined,
): Promise<Answer<Nothing>> =>
  attempt(`rewind to ${to.member}`, async () => {
    const { config, binaries } = context;
    const { dataDirectory, rewind: role } = config.postgresql;
    const address = parseAddress(to.address);
    if (address === undefined) return failed(`the address of ${to.member} is ${to.address}`);
    if (await isServerRunning(dataDirectory)) return failed(`a server runs on ${dataDirectory}`);
    if (await hasMarker(context, 'rewind-unfinished'))
      return failed('an earlier rewind was not finished: the data directory cannot be used');
    const { kind, aside } = await dataLayout(dataDirectory);
    if (kind === 'inside' && (await exists(aside)))
      return failed(`pg_rewind would remove ${aside}, which is kept until a replacement streams`);
    const answer = await readControlData(context, dataDirectory);
    if (answer.kind !== 'done') return answer;

    await ensureStateDirectory(context);
    await writePassFile(context);
    await allowCrashRecovery(dataDirectory, answer.control);
    await setMarker(context, 'rewind-unfinished');
    const stall = createStallGuard();
    let hasWritten = false;
    const result = await context.run({
      command: binaries.pg_rewind,
      args: [
        `--target-pgdata=${dataDirectory}`,
        `--source-server=${upstreamConninfo(context, address, role)}`,
        '--progress',
      ],
      env: toolEnvironment(),
      limitMs: undefined,
      signal: stall.signal,
      onStderrLine: (line) => {
        stall.progress();
        if (BEGINS_TO_WRITE.test(line)) hasWritten = true;
        const progress = parseProgress(line);
        if (progress !== undefined) onProgress(progress.doneBytes, progress.totalBytes);
      },
    });
    stall.end();
    const isDone = result.kind === 'exited' && result.code === 0;
    if (isDone || !hasWritten) await clearMarker(context, 'rewind-unfinished');
    return isDone ? done : failed(describeEnd('pg_rewind', result));
  });

/**
 * pg_rewind first recovers a server that was killed, with a single-user server, and that refuses to
 * be a standby. Without the signal a killed standby recovers like a primary; what that adds to its
 * WAL lies behind the fork and is taken back with the rest.
 */
const allowCrashRecovery = async (dataDirectory: string, { state }: ControlData): Promise<void> => {
  if (state === 'shut-down' || state === 'shut-down-in-recovery') return;
  await removeDurably(join(dataDirectory, 'standby.signal'));
};
