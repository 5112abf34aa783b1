import type { Failure } from '../model/action.ts';
import { after } from '../model/instant.ts';
import type { Draft, InFlight } from '../state.ts';
import { absorbNotKept } from './absorb-failsafe.ts';
import { absorbPrepared, absorbSuspensionUnknown } from './absorb-operating.ts';
import { absorbProcess, countFailedStart } from './absorb-server.ts';
import { absorbSyncDoubt } from './absorb-sync.ts';
import { absorbNotCounted } from './absorb-unpromised.ts';
import { absorbWaitingFailure } from './absorb-waiting.ts';
import { absorbStoreFailure, absorbTransactionFailure } from './absorb-store.ts';

/** Waits before a clone or rewind is tried again, by how many have failed already. */
const REJOIN_RETRY_MS: readonly number[] = [1_000, 2_000, 5_000, 15_000, 60_000];

/** Wait before files that could not be written or moved are tried again. */
const FILES_RETRY_MS = 2_000;
const ASIDE_RETRY_MS = 60_000;
/** Wait before forked WAL that could not be copied is copied again. */
const KEEP_RETRY_MS = 10_000;

/** An initdb that failed fails again for the same reason: give whoever mends it time. */
const BOOTSTRAP_RETRY_MS = 5_000;

const rejoinRetryMs = (failures: number): number =>
  REJOIN_RETRY_MS[Math.min(failures, REJOIN_RETRY_MS.length) - 1] ?? 0;

/** What follows from an action that failed, or of which nobody knows whether it happened. */
export const absorbFailure = (draft: Draft, flight: InFlight, failure: Failure): void => {
  const { action } = flight;
  switch (action.kind) {
    case 'grant-lease':
    case 'keep-alive':
    case 'read-store':
      return absorbStoreFailure(draft);
    case 'transact':
      return absorbTransactionFailure(draft, action, failure);
    case 'fence':
      draft.fenceFailures += 1;
      return;
    case 'start-server':
      if (failure.kind === 'unknown') return absorbProcess(draft, { kind: 'unknown' });
      return countFailedStart(draft);
    case 'promote':
      return absorbPromoteFailure(draft, failure);
    case 'initialise':
    case 'create-users':
      return countFailedBootstrap(draft);
    case 'install-data':
      return absorbInstallFailure(draft);
    case 'prepare-server':
      return absorbUnprepared(draft);
    case 'discard-aside':
      draft.asideRetryAt = after(draft.now, ASIDE_RETRY_MS);
      return;
    case 'measure-wal-end':
    case 'keep-fork':
    case 'clone':
    case 'rewind':
      return absorbRejoinFailure(draft, action.kind);
    case 'ask-peers':
      // Nobody could be asked: that is an answer as well, and the rules have limits for it.
      draft.peers = { value: {}, at: flight.sentAt };
      return;
    case 'inspect-upstream':
      draft.upstream = undefined;
      return;
    case 'checkpoint':
      return absorbNoCheckpoint(draft);
    case 'suspend-deadline':
      if (failure.kind === 'unknown') absorbSuspensionUnknown(draft);
      return;
    case 'probe-server':
      draft.silentSince ??= draft.now;
      return;
    case 'reload-server':
      return absorbReloadFailure(draft);
    case 'show-waiting':
      return absorbWaitingFailure(draft);
    case 'keep-promise':
      return absorbNotKept(draft, action, failure.cause);
    case 'count-cancelled':
    case 'count-exposed':
      return absorbNotCounted(draft, action, failure.cause);
    case 'ask-held':
    case 'ask-promises':
    case 'extend-deadline':
    case 'stop-server':
    case 'inspect-disk':
    case 'place-history':
    case 'discard-unfinished':
    case 'fetch-wal':
    case 'show-sync-names':
    case 'change-slots':
    case 'manage-waiting':
    case 'exit':
      return;
  }
};

/** A stop makes its own checkpoint: this one would only have shortened it. */
const absorbNoCheckpoint = (draft: Draft): void => {
  if (draft.vacating !== undefined) draft.vacating = { ...draft.vacating, checkpointed: true };
  absorbPrepared(draft);
};

/** The server may go by either: it is told again, and nothing it showed before counts. */
const absorbReloadFailure = (draft: Draft): void => {
  draft.appliedVersion = undefined;
  draft.told = undefined;
  absorbSyncDoubt(draft);
};

const absorbInstallFailure = (draft: Draft): void => {
  if (draft.bootstrap !== undefined) countFailedBootstrap(draft);
  else draft.rejoin = { ...draft.rejoin, notBefore: after(draft.now, FILES_RETRY_MS) };
  draft.disk = undefined;
  draft.prepared = undefined;
};

/** The files may say what they said before, or what they were to say. */
const absorbUnprepared = (draft: Draft): void => {
  draft.prepared = undefined;
  draft.rejoin = { ...draft.rejoin, notBefore: after(draft.now, FILES_RETRY_MS) };
  // What lay there may have been removed since: a server can be left alone for long in a pause.
  draft.disk = undefined;
};

/** What follows from a failed step on the way back to being a streaming standby. */
const absorbRejoinFailure = (
  draft: Draft,
  kind: 'measure-wal-end' | 'keep-fork' | 'clone' | 'rewind',
): void => {
  const { rejoin, vacating } = draft;
  draft.job = undefined;
  switch (kind) {
    case 'measure-wal-end':
      draft.rejoin = {
        ...rejoin,
        failedMeasures: rejoin.failedMeasures + 1,
        notBefore: after(draft.now, rejoinRetryMs(rejoin.failedMeasures + 1)),
      };
      if (vacating !== undefined) draft.vacating = { ...vacating, givenUp: true };
      return;
    case 'keep-fork':
      // Without a copy nothing may be replaced: whoever is out of space has to make some.
      draft.rejoin = { ...rejoin, notBefore: after(draft.now, KEEP_RETRY_MS) };
      return;
    case 'clone': {
      const failedClones = rejoin.failedClones + 1;
      const notBefore = after(draft.now, rejoinRetryMs(failedClones));
      draft.rejoin = { ...rejoin, failedClones, notBefore };
      return;
    }
    case 'rewind': {
      const failedRewinds = rejoin.failedRewinds + 1;
      // What it has copied of the source's files may have taken the place of ours.
      draft.prepared = undefined;
      const notBefore = after(draft.now, rejoinRetryMs(failedRewinds));
      draft.rejoin = { ...rejoin, failedRewinds, notBefore };
      draft.disk = undefined;
      return;
    }
  }
};

const absorbPromoteFailure = (draft: Draft, failure: Failure): void => {
  if (failure.kind === 'failed') {
    draft.promotion = undefined;
    return;
  }
  // It may have been signalled: from now on the server counts as one that accepts writes, and its
  // files as those of one (a promotion removes standby.signal).
  draft.prepared = undefined;
  if (draft.process.kind === 'running') draft.process = { ...draft.process, promoted: true };
  if (draft.promotion !== undefined)
    draft.promotion = { ...draft.promotion, stage: 'signalled', since: draft.now };
};

const countFailedBootstrap = (draft: Draft): void => {
  draft.failedBootstraps += 1;
  draft.bootstrap = undefined;
  draft.job = undefined;
  draft.disk = undefined;
  const notBefore = after(draft.now, BOOTSTRAP_RETRY_MS);
  draft.rejoin = { ...draft.rejoin, notBefore };
};
