import type { OnProgress, Postgres } from '../../agent/ports/postgres.ts';
import { createSlotKeeper } from './change-slots.ts';
import { checkpoint } from './checkpoint.ts';
import { clone } from './clone.ts';
import type { PostgresContext } from './context.ts';
import { createCancelCounter } from './count-cancelled.ts';
import { countExposed } from './count-exposed.ts';
import { createUsers } from './create-users.ts';
import { initialise } from './initialise.ts';
import { inspectDisk } from './inspect-disk.ts';
import { inspectUpstream } from './inspect-upstream.ts';
import { discardAside, discardUnfinished, installData } from './install-data.ts';
import { keepFork } from './keep-fork.ts';
import { createKnocker } from './knock.ts';
import { launchSpec } from './launch-spec.ts';
import { placeHistory } from './place-history.ts';
import { prepareServer } from './prepare-server.ts';
import { createProbe } from './probe.ts';
import { rewind } from './rewind.ts';
import { showSyncNames } from './show-sync-names.ts';
import { manageWaiting, showWaiting } from './waiting-settings.ts';
import { measureWalEnd } from './wal-end.ts';
import { fetchWal, type GetSegment } from './wal-spool.ts';

export interface PostgresAccess {
  /** Called with everything that was asked for and is not done, whenever the server is prepared. */
  readonly onRemarks?: (remarks: readonly string[]) => void;
  /** Gets one segment of another member's WAL, by the URL of its API. */
  readonly getSegment?: (apiUrl: string, name: string) => ReturnType<GetSegment>;
}

const cannotGet: PostgresAccess['getSegment'] = async () => ({
  kind: 'failed',
  cause: 'nobody can be asked',
});

/** Our own server on this host, behind the agent's port. */
export const createPostgres = (context: PostgresContext, access: PostgresAccess = {}): Postgres => {
  const { onRemarks = () => undefined, getSegment = cannotGet } = access;
  const probe = createProbe(context);
  const knocker = createKnocker(context);
  const slots = createSlotKeeper(context);
  const cancels = createCancelCounter(context);
  const told =
    (kind: 'clone' | 'rewind', onProgress: OnProgress) => (doneBytes: number, totalBytes: number) =>
      onProgress({ kind, doneBytes, totalBytes });
  return {
    probe: async (limitMs) => {
      const [answer, isOpen] = await Promise.all([probe.probe(limitMs), knocker.isAnswered()]);
      if (isOpen) return answer;
      return { kind: 'no-answer', cause: 'the postmaster takes no new connections' };
    },
    inspectDisk: () => inspectDisk(context),
    measureWalEnd: (from) => measureWalEnd(context, { from }),
    prepareServer: async (preparation) => {
      const answer = await prepareServer(context, preparation);
      if (answer.kind === 'done' && answer.remarks.length > 0) onRemarks(answer.remarks);
      return answer.kind === 'done' ? { kind: 'done' } : answer;
    },
    launchSpec: async (as) => {
      const answer = await launchSpec(context, as);
      return answer.kind === 'done' ? answer.launch : answer;
    },
    placeHistory: (timelines) => placeHistory(context, timelines),
    initialise: () => initialise(context),
    createUsers: () => createUsers(context),
    clone: (from, onProgress) => clone(context, from, told('clone', onProgress)),
    keepFork: (fork) => keepFork(context, fork),
    rewind: (to, onProgress) => rewind(context, to, told('rewind', onProgress)),
    installData: () => installData(context),
    discardAside: () => discardAside(context),
    discardUnfinished: () => discardUnfinished(context),
    inspectUpstream: (upstream) => inspectUpstream(context, upstream),
    fetchWal: ({ from, start, end }) =>
      fetchWal(context, { start, end }, (name) => getSegment(from.apiUrl, name)),
    showSyncNames: () => showSyncNames(context),
    showWaiting: (names) => showWaiting(context, names),
    countCancelled: (pid) => cancels.count(pid),
    countExposed: (range) => countExposed(context, range),
    checkpoint: (limitMs) => checkpoint(context, limitMs),
    changeSlots: (changes) => slots.change(changes),
    manageWaiting: (change) => manageWaiting(context, change),
    close: () => {
      probe.close();
      slots.close();
    },
  };
};
