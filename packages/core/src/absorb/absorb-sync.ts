/**
 * What is known of `synchronous_standby_names` in the running server (rule S6). PostgreSQL's
 * processes read a new value each in its own time, so that it holds only when
 *
 *   told ─▶ shown by a fresh connection: the postmaster has read it and signalled all processes
 *        ─▶ every walsender of that moment has taken two more answers, the second one after the
 *           signal; or it is gone
 *        ─▶ armed: the checkpointer, which tells backends to wait at all, has begun a checkpoint
 *           after the signal, or has known names since the server started
 *        ─▶ holds from the position of the next look on
 *        ─▶ proven: as many standbys as the names ask for have everything up to there
 */
import type { Instant } from '../model/instant.ts';
import type { ServerAnswer, ShownSyncNames } from '../model/server.ts';
import { isSameName, renderSyncNames } from '../replication/sync-names.ts';
import type { Draft } from '../state.ts';
import { freshSync } from '../replication/sync-state.ts';
import { holdsNames } from '../view/sync.ts';

/** A walsender's second answer was taken after its signal. */
const REPLIES_NEEDED = 2;

const nothingShown = { shown: undefined, holdsFrom: undefined, proven: false } as const;

/** The server that now runs has read its files at its start. */
export const absorbSyncStart = (draft: Draft): void => {
  const told = draft.prepared?.syncNames ?? '';
  draft.sync = { ...freshSync, wanted: draft.sync.wanted, told, armed: told !== '' };
};

/** Another server, or none: what was known of the last one is of no use. */
export const absorbSyncEnd = (draft: Draft): void => {
  draft.sync = freshSync;
};

export const absorbSyncReload = (draft: Draft): void => {
  const told = draft.prepared?.syncNames ?? '';
  if (told === draft.sync.told) return;
  const armed = told !== '' && draft.sync.armed;
  draft.sync = { ...draft.sync, ...nothingShown, told, armed };
};

/** Nobody knows what the server was told last. */
export const absorbSyncDoubt = (draft: Draft): void => {
  const armed = draft.sync.armed && (draft.prepared?.syncNames ?? '') !== '';
  draft.sync = { ...draft.sync, ...nothingShown, told: undefined, armed };
};

export const absorbShown = (draft: Draft, shown: ShownSyncNames): void => {
  const { sync } = draft;
  // Names that were taken away meanwhile have nothing to be shown for.
  if (shown.names !== sync.told || shown.names === '') {
    draft.sync = { ...sync, ...nothingShown };
    return;
  }
  const senders = Object.entries(shown.senders).map(([pid, replyTime]) => ({
    pid: Number(pid),
    replyTime,
    replies: 0,
  }));
  draft.sync = { ...sync, ...nothingShown, shown: { names: shown.names, at: draft.now, senders } };
};

/** A checkpoint that was begun when the names had been shown already. */
export const absorbSyncCheckpoint = (draft: Draft, sentAt: Instant): void => {
  const { shown, told } = draft.sync;
  if (shown !== undefined && sentAt >= shown.at && told !== '')
    draft.sync = { ...draft.sync, armed: true };
};

/** A look at the server, with its walsenders. */
export const absorbSyncProbe = (draft: Draft, answer: ServerAnswer, sentAt: Instant): void => {
  if (!answer.inRecovery) absorbStandbys(draft, answer);
  const held = holdsNames(draft.sync);
  absorbReplies(draft, answer);
  const { sync } = draft;
  // What this look showed first is of before or after the walsenders' last answers: nobody knows.
  if (!held || sync.shown === undefined || sentAt < sync.shown.at || answer.inRecovery) return;
  const { position } = answer;
  const holdsFrom = sync.holdsFrom ?? (position.known ? position.position.lsn : undefined);
  draft.sync = { ...sync, holdsFrom };
  if (holdsFrom !== undefined && !sync.proven)
    draft.sync = { ...draft.sync, proven: haveEnough(draft, answer, holdsFrom) };
};

const absorbReplies = (draft: Draft, { standbys }: ServerAnswer): void => {
  const { shown } = draft.sync;
  if (shown === undefined || shown.senders.length === 0) return;
  const senders = shown.senders.flatMap((sender) => {
    const standby = standbys.find(({ pid }) => pid === sender.pid);
    if (standby === undefined) return [];
    if (standby.replyTime === sender.replyTime) return [sender];
    const replies = sender.replies + 1;
    return replies >= REPLIES_NEEDED ? [] : [{ ...sender, replyTime: standby.replyTime, replies }];
  });
  draft.sync = { ...draft.sync, shown: { ...shown, senders } };
};

const absorbStandbys = (draft: Draft, { standbys }: ServerAnswer): void => {
  const seenAt: Record<string, Instant> = { ...draft.sync.seenAt };
  for (const { state, applicationName } of standbys)
    if (state === 'streaming') seenAt[applicationName.toLowerCase()] = draft.now;
  draft.sync = { ...draft.sync, seenAt, primarySince: draft.sync.primarySince ?? draft.now };
};

const haveEnough = ({ sync }: Draft, { standbys }: ServerAnswer, from: bigint): boolean => {
  const { wanted } = sync;
  if (wanted === undefined || renderSyncNames(wanted) !== sync.told) return false;
  const holders = wanted.names.filter((name) =>
    standbys.some(
      ({ applicationName, state, flushLsn }) =>
        isSameName(applicationName, name) && state === 'streaming' && flushLsn >= from,
    ),
  );
  return holders.length >= wanted.count;
};
