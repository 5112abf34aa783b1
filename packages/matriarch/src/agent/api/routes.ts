import type { MemberState } from '@matriarch/core';
import { type AccessRules, checkAccess } from './access.ts';
import type { ApiSource } from './api-source.ts';
import type { Call, Handler } from './call.ts';
import { patchConfig, putConfig } from './change-config.ts';
import { createPromiseHandler } from './failsafe.ts';
import { createFreshLook } from './fresh-look.ts';
import { createOperations } from './operations.ts';
import { type ReadHandlers, createReadHandlers } from './read-handlers.ts';
import { type Reply, textReply, unsupportedReply } from './reply.ts';
import { type SwitchoverParts, createSwitchovers } from './switchover.ts';

/** Methods that change nothing: no credentials are asked for. HEAD and OPTIONS bring no body. */
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface RouteParts extends SwitchoverParts {
  readonly access: AccessRules;
}

/**
 * Finds who answers, by method and first segment of the path. Other than with Patroni, HEAD and
 * OPTIONS get the status of GET on every path: there a HEAD of `/liveness` is 503 for ever.
 */
export const createRoutes = (parts: RouteParts): Handler => {
  const lookAfresh = createFreshLook(parts.source);
  const reads = createReadHandlers(parts.source, lookAfresh);
  const changes = createChangeHandlers(parts, lookAfresh);
  return async (call) => {
    const segment = call.path.split('/')[1] ?? '';
    if (READS.has(call.method)) return read(reads, segment, call);
    const change = changes.get(`${call.method} ${segment}`);
    if (change === undefined) return unsupportedReply();
    return checkAccess(parts.access, call) ?? change(call);
  };
};

const read = async (reads: ReadHandlers, segment: string, call: Call): Promise<Reply> => {
  const handler = reads.named.get(segment) ?? reads.health;
  const reply = await handler(call);
  return call.method === 'GET' ? reply : { ...reply, body: undefined };
};

const createChangeHandlers = (
  parts: RouteParts,
  lookAfresh: () => Promise<MemberState>,
): ReadonlyMap<string, Handler> => {
  const switchovers = createSwitchovers(parts);
  const operations = createOperations({ ...parts, lookAfresh });
  return new Map<string, Handler>([
    ['POST switchover', (call) => switchovers.request('switchover', call)],
    ['POST failover', (call) => switchovers.request('failover', call)],
    ['DELETE switchover', () => switchovers.cancel()],
    ['POST reload', () => reload(parts.source)],
    ['PATCH config', (call) => patchConfig(parts, call)],
    ['PUT config', (call) => putConfig(parts, call)],
    ['POST restart', (call) => operations.restart(call)],
    ['DELETE restart', (call) => operations.cancelRestart(call)],
    ['POST reinitialize', (call) => operations.reinitialize(call)],
    ['POST failsafe', createPromiseHandler(parts)],
  ]);
};

const reload = (source: ApiSource): Reply => {
  source.reload();
  return textReply(202, 'reload scheduled');
};
