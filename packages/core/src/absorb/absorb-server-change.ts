import type { Action } from '../model/action.ts';
import type { Instant } from '../model/instant.ts';
import type { DiskFacts, ServerProcess } from '../model/server.ts';
import { freshRejoin } from '../model/rejoin.ts';
import type { Prepared } from '../model/prepared.ts';
import type { Draft, InFlight } from '../state.ts';
import type { DoneOf, ServerChange } from './absorb-outcome.ts';
import { absorbProcess, lookAgain } from './absorb-server.ts';
import { absorbSyncReload, absorbSyncStart } from './absorb-sync.ts';
import { absorbLeftBehind, absorbStartInPlace, forgetInterruption } from './absorb-unpromised.ts';

/** What comes of the actions of the server lane. */
export const absorbServerChange = (
  draft: Draft,
  { action }: InFlight,
  outcome: DoneOf<ServerChange>,
): void => {
  switch (outcome.kind) {
    case 'fence':
      return absorbFence(draft, outcome.result.silent);
    case 'start-server':
      draft.appliedVersion = draft.prepared?.version;
      draft.told = { value: draft.prepared?.upstream, at: draft.now };
      absorbSyncStart(draft);
      if (action.kind === 'start-server') absorbStartInPlace(draft, action);
      // Whatever was to become of the primary that ended: it has become a standby.
      if (action.kind === 'start-server' && action.as === 'standby') draft.vacating = undefined;
      return absorbProcess(draft, startedProcess(action, outcome.result.pid));
    case 'promote':
      return absorbSignalledPromotion(draft);
    case 'place-history':
      if (draft.promotion !== undefined) draft.promotion = { ...draft.promotion, stage: 'placed' };
      return;
    case 'measure-wal-end':
      return absorbWalEnd(draft, outcome.result.end);
    case 'prepare-server':
      draft.prepared = preparedFor(action, draft.policy.serverConfigVersion);
      draft.fetched = undefined;
      return;
    case 'initialise':
      draft.job = undefined;
      draft.bootstrap = 'initialised';
      return;
    case 'create-users':
      draft.bootstrap = 'users-created';
      return;
    case 'clone':
      draft.job = undefined;
      draft.rejoin = { ...draft.rejoin, cloned: true };
      return;
    case 'keep-fork':
      draft.rejoin = { ...draft.rejoin, forkKept: true };
      return;
    case 'rewind':
      draft.job = undefined;
      draft.rejoin = { ...freshRejoin(draft.now), failedRewinds: draft.rejoin.failedRewinds };
      return forgetFiles(draft);
    case 'fetch-wal':
      if (action.kind === 'fetch-wal') draft.fetched = action.end;
      draft.probe = undefined;
      return;
    case 'install-data':
      if (draft.bootstrap === 'initialised') draft.bootstrap = 'installed';
      absorbInstalled(draft);
      draft.asideKept = undefined;
      return forgetFiles(draft);
    case 'discard-aside':
      draft.asideKept = false;
      return;
    case 'discard-unfinished':
      return forgetFiles(draft);
    case 'reload-server':
      draft.appliedVersion = draft.prepared?.version;
      draft.told = { value: draft.prepared?.upstream, at: draft.now };
      absorbSyncReload(draft);
      return lookAgain(draft);
    case 'stop-server':
    case 'exit':
      draft.probe = undefined;
      return;
  }
};

const absorbInstalled = (draft: Draft): void => {
  draft.rejoin = {
    ...freshRejoin(draft.now),
    failedClones: draft.rejoin.failedClones,
    clonedForStarts: draft.rejoin.clonedForStarts,
  };
};

/**
 * A clone that is no longer beside the data directory has taken its place after all: nobody heard
 * of it. Without this the member would try for ever to install what is not there.
 */
export const absorbDisk = (draft: Draft, disk: DiskFacts, at: Instant): void => {
  draft.disk = { value: disk, at };
  draft.asideKept = disk.asideKept;
  absorbLeftBehind(draft, disk);
  const installing = draft.lanes.server?.action.kind === 'install-data';
  if (draft.rejoin.cloned && !disk.newReady && !installing) absorbInstalled(draft);
};

/** The data directory has changed under what we knew of it. */
const forgetFiles = (draft: Draft): void => {
  draft.disk = undefined;
  draft.prepared = undefined;
  forgetInterruption(draft);
};

const startedProcess = (action: Action, pid: number): ServerProcess => ({
  kind: 'running',
  pid,
  startedAs: action.kind === 'start-server' ? action.as : 'adopted',
  promoted: false,
});

const preparedFor = (action: Action, version: string): Prepared | undefined =>
  action.kind === 'prepare-server'
    ? {
        as: action.as,
        upstream: action.upstream?.address,
        version,
        syncNames: action.syncNames,
      }
    : undefined;

const absorbFence = (draft: Draft, silent: boolean): void => {
  draft.fenceFailures = silent ? 0 : draft.fenceFailures + 1;
  if (!silent) return;
  absorbProcess(draft, { kind: 'none', silent: true });
  draft.promotion = undefined;
  draft.checkpointDue = false;
  // The guard's deadline ends with the server it was for.
  draft.guardDeadline = undefined;
};

const absorbSignalledPromotion = (draft: Draft): void => {
  if (draft.promotion !== undefined)
    draft.promotion = { ...draft.promotion, stage: 'signalled', since: draft.now };
  if (draft.process.kind === 'running') draft.process = { ...draft.process, promoted: true };
  // A promotion removes standby.signal: started again as it is, this would be a primary.
  draft.prepared = undefined;
  draft.probe = undefined;
};

const absorbWalEnd = (draft: Draft, end: bigint): void => {
  const content = draft.disk?.value.content;
  if (draft.disk === undefined || content?.kind !== 'data') return;
  const lsn = end as typeof content.end & bigint;
  const value = { ...draft.disk.value, content: { ...content, end: lsn } };
  draft.disk = { ...draft.disk, value };
  if (draft.vacating !== undefined)
    draft.vacating = {
      ...draft.vacating,
      end: { timeline: content.lineage.timeline, lsn },
      endAt: draft.now,
    };
};
