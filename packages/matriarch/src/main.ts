/**
 * The loop's process, put together: the only file that knows all adapters. The guard starts it and
 * hands it what there is (`hello`); when it dies the guard starts another one.
 */
import { join } from 'node:path';
import { type GuardNotice, type Input, type MemberState, createMember } from '@matriarch/core';
import { type AgentConfig, clusterPrefix } from '@matriarch/protocol';
import type { EtcdStore } from './adapters/etcd/etcd-store.ts';
import { createHttpPeers } from './adapters/peers/http-peers.ts';
import { findBinaries } from './adapters/postgres/binaries.ts';
import type { PostgresContext } from './adapters/postgres/context.ts';
import { createPostgres } from './adapters/postgres/postgres.ts';
import { createProbe } from './adapters/postgres/probe.ts';
import { ensureStateDirectory } from './adapters/postgres/state-files.ts';
import { readBootClock } from './adapters/process/boot-clock.ts';
import { fenceDataDirectory } from './adapters/process/fence.ts';
import { observeLife } from './adapters/process/life.ts';
import { createSegmentSource, offerWal } from './main/wal-access.ts';
import { resolveUser } from './adapters/process/run-as.ts';
import { createRunCommand } from './adapters/process/run-command.ts';
import { createGuardPerformers } from './agent/act/guard-performers.ts';
import { createPeerPerformers } from './agent/act/peer-performers.ts';
import type { Performers } from './agent/act/performers.ts';
import { createPostgresPerformers } from './agent/act/postgres-performers.ts';
import { createStorePerformers, readDocuments } from './agent/act/store-documents.ts';
import { type Api, createApi } from './agent/api/create-api.ts';
import { connectGuard } from './agent/guard/guard-client.ts';
import { createNoticeQueue } from './agent/guard/notice-queue.ts';
import { openJournal } from './agent/journal/journal.ts';
import { type Logger, createLogger } from './agent/log.ts';
import { type AgentLoop, createAgentLoop } from './agent/loop/agent-loop.ts';
import {
  type DynamicSettings,
  createDynamicSettings,
  followConfiguration,
} from './agent/loop/dynamic-settings.ts';
import { findOwner } from './agent/loop/find-owner.ts';
import { findUnreachable } from './agent/loop/find-unreachable.ts';
import { loadAgentConfig } from './agent/loop/load-config.ts';
import { assembleSelf } from './agent/loop/open-self.ts';
import { storeLimitsOf } from './agent/loop/store-limits.ts';
import { createAgentCounters } from './agent/metrics/agent-counters.ts';
import { type Guard, RUN_VARIABLE } from './agent/ports/guard.ts';
import type { PromiseFile } from './agent/ports/promise-file.ts';
import { createApiSource } from './main/api-source.ts';
import { findNamesake } from './main/find-namesake.ts';
import { hear, reloadFile } from './main/hear-guard.ts';
import { createStepLog } from './main/log-step.ts';
import { openPromises } from './main/open-promises.ts';
import { reportEnd } from './main/report-end.ts';
import { openEtcd } from './store-access/main.ts';

/** Wrong input: the guard does not start another loop after this. */
const WRONG_INPUT_STATUS = 2;
/** Refused by a rule. */
const REFUSED_STATUS = 3;
/** The guard is gone, or a part of ours broke its promise: the guard starts another loop. */
const DEFECT_STATUS = 70;
const FENCE_LIMIT_MS = 2_000;

/** Ends the process for something only the user can mend. */
const stopForUser = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(WRONG_INPUT_STATUS);
};

const main = async (file: string): Promise<void> => {
  // Signals of a terminal reach the whole group: the guard decides what they mean.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => undefined);
  const notices = createNoticeQueue();
  const guard = connectGuard(process, notices.events);
  const loaded = loadAgentConfig(file, process.env);
  if (loaded.kind === 'wrong') return stopForUser(loaded.message);
  const { config } = loaded;
  const log = createLogger({ level: config.logLevel, name: config.name });
  for (const warning of loaded.warnings) log.warn({ warning }, 'configuration is corrected');
  const context = await openContext(config, log);
  const agent = await startAgent({ file, guard, log, ...context });
  notices.connect({
    notice: (notice) => agent.onNotice(notice),
    lost: () => void agent.onGuardLost(),
  });
};

interface Opened {
  readonly settings: DynamicSettings;
  readonly postgres: PostgresContext;
}

/** Everything that can be wrong with this host is found before anything is started. */
const openContext = async (config: AgentConfig, log: Logger): Promise<Opened> => {
  const found = findOwner(config, (name) => {
    const lookup = resolveUser(name);
    return lookup.kind === 'found' ? lookup.user : undefined;
  });
  if (found.kind === 'wrong') return stopForUser(found.message);
  const { owner } = found;
  const run = createRunCommand(owner);
  const { dataDirectory, binDirectory } = config.postgresql;
  const programs = await findBinaries({ binDirectory, dataDirectory, run });
  if (programs.kind === 'missing') return stopForUser(programs.problems.join('\n'));
  const settings = createDynamicSettings(config, log);
  if ('kind' in settings) return stopForUser(settings.message);
  const postgres: PostgresContext = {
    config,
    run,
    binaries: programs.binaries,
    owner,
    settings: () => settings.server(),
  };
  try {
    await ensureStateDirectory(postgres);
  } catch (error) {
    return stopForUser(
      `${config.matriarch.stateDirectory}: the agent's own files cannot be kept there ` +
        `(${String(error)}); make its parent writable, or set matriarch.state_dir`,
    );
  }
  const unreachable = await findUnreachable(config, run);
  if (unreachable !== undefined) return stopForUser(unreachable);
  return { settings, postgres };
};

interface AgentParts extends Opened {
  readonly file: string;
  readonly guard: Guard;
  readonly log: Logger;
}

interface RunningAgent {
  readonly onNotice: (notice: GuardNotice) => void;
  readonly onGuardLost: () => Promise<void>;
}

const openStore = ({ settings, log, postgres }: AgentParts): EtcdStore => {
  const opened = openEtcd(postgres.config.etcd, {
    ...storeLimitsOf(settings.policy()),
    log: (level, message, attributes) => log[level](attributes, message),
  });
  return 'kind' in opened ? stopForUser(opened.message) : opened;
};

const startAgent = async (parts: AgentParts): Promise<RunningAgent> => {
  const { log, settings, file } = parts;
  const { config } = parts.postgres;
  const prefix = clusterPrefix(config.namespace, config.scope);
  const store = openStore(parts);
  await refuseNamesake(config, store, { guard: parts.guard, prefix });
  const counters = createAgentCounters();
  const journal = openJournal(join(config.matriarch.stateDirectory, 'journal.jsonl'));
  const self = assembleSelf(config, observeLife(process.env[RUN_VARIABLE] ?? ''));
  const promises = openPromises(parts.postgres, settings, self);
  const found = await promises.read();
  const logStep = createStepLog(log);
  const watchers: ((state: MemberState) => void)[] = [];

  const loop: AgentLoop = createAgentLoop({
    initial: createMember(self, settings.policy()),
    now: readBootClock,
    wallClockMs: () => Date.now(),
    performers: createPerformers(parts, store, {
      prefix,
      promises,
      state: () => loop.state(),
      feed: (input) => loop.feed(input),
    }),
    onStep: (result, input) => {
      journal.write(result, input);
      counters.countStep(result, input);
      logStep(result, input);
      for (const watcher of watchers) watcher(result.state);
    },
    onDefect: (error) => endForDefect(error, log),
  });
  const applySettings = (changed: boolean): void => {
    store.setLimits(storeLimitsOf(settings.policy()));
    if (changed) loop.feed({ kind: 'policy-changed', policy: settings.policy() });
  };
  watchers.push(followConfiguration(settings, applySettings));
  const reload = (): void => {
    reloadFile({ file, settings, log, loop, applySettings });
    renewCertificates(api, log);
  };
  const source = createApiSource({
    scope: config.scope,
    loop,
    store,
    prefix,
    counters,
    reload,
    now: readBootClock,
    probe: createProbe(parts.postgres).probe,
    ...offerWal(parts.postgres),
    journalFile: journal.file,
  });
  watchers.push((state) => source.notify(state));
  if (found !== undefined) loop.feed({ kind: 'promise-found', promise: found });
  const api = createApi({ ...config.restapi, source, log });
  const started = await api.start();
  if (started.kind !== 'listening') return stopForUser(started.message);
  store.watchPrefix(prefix, () => loop.feed({ kind: 'store-changed' }));
  return {
    onNotice: (notice) => {
      reportEnd(notice, parts.postgres, log);
      hear(notice, loop, reload);
    },
    onGuardLost: async () => {
      loop.stop();
      await endWithoutGuard(config, log);
    },
  };
};

const renewCertificates = (api: Api, log: Logger): void => {
  const renewed = api.renewCertificates();
  if (renewed.kind === 'failed')
    log.error({ cause: renewed.cause }, 'certificates stay as they were');
};

/** Nothing holds the deadline any more: PostgreSQL is silenced, and this process with it. */
const endWithoutGuard = async (config: AgentConfig, log: Logger): Promise<never> => {
  log.error({}, 'guard is gone');
  const { dataDirectory } = config.postgresql;
  await fenceDataDirectory({ dataDirectory, limitMs: FENCE_LIMIT_MS });
  process.exit(DEFECT_STATUS);
};

/** A fault of ours: the guard starts another loop, which begins from the facts. */
const endForDefect = (error: unknown, log: Logger): never => {
  log.error({ error: error instanceof Error ? error.stack : String(error) }, 'defect');
  process.exit(DEFECT_STATUS);
};

/** Only the first loop looks: whoever answers under our name then is not us. */
const refuseNamesake = async (
  config: AgentConfig,
  store: EtcdStore,
  { guard, prefix }: { readonly guard: Guard; readonly prefix: string },
): Promise<void> => {
  if (guard.incarnation !== 1) return;
  const read = await readDocuments(store, prefix);
  if (read.kind !== 'done') return;
  const apiUrl = await findNamesake(config.name, read.snapshot);
  if (apiUrl === undefined) return;
  process.stderr.write(
    `a member named ${config.name} of cluster ${config.scope} answers at ${apiUrl} already: ` +
      'stop that one, or give this one a name of its own\n',
  );
  process.exit(REFUSED_STATUS);
};

interface LoopAccess {
  readonly promises: PromiseFile;
  readonly prefix: string;
  readonly state: () => MemberState;
  readonly feed: (input: Input) => void;
}

const createPerformers = (
  { guard, log, postgres: context }: AgentParts,
  store: EtcdStore,
  { prefix, state, feed, promises }: LoopAccess,
): Performers => {
  const { config } = context;
  const { dataDirectory } = config.postgresql;
  const postgres = createPostgres(context, {
    onRemarks: (remarks) =>
      log.warn({ remarks: remarks.join('; ') }, 'server configuration is corrected'),
    getSegment: createSegmentSource(config),
  });
  const peers = createHttpPeers(config.restapi.tls, config.restapi.authentication);
  return {
    ...createStorePerformers(store, prefix, readBootClock),
    ...createGuardPerformers({
      guard,
      dataDirectory,
      fenceOurselves: () => fenceDataDirectory({ dataDirectory, limitMs: FENCE_LIMIT_MS }),
      launch: (as) => postgres.launchSpec(as),
    }),
    ...createPeerPerformers(peers, promises, state),
    ...createPostgresPerformers(postgres, (progress) => feed({ kind: 'job-progress', progress })),
    exit: async ({ status, reason }) => {
      log.info({ status, reason }, 'agent leaves');
      if (status !== 0) process.stderr.write(`${config.name}: ${reason}\n`);
      await guard.leave(status);
      process.exit(status);
    },
  };
};

main(process.argv[2] ?? 'patroni.yml').catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(DEFECT_STATUS);
});
