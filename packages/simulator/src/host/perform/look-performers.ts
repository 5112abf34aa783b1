import {
  type ConnectedStandby,
  type Lsn,
  type ReplicationSlot,
  type ServerAnswer,
  type ServerProbe,
  WAITING_VALUE,
  knownPosition,
  lsn,
  unknownPosition,
} from '@matriarch/core';
import type { Instance } from '../../postgres/instance.ts';
import { segmentStart } from '../../postgres/wal.ts';
import type { SimHost } from '../sim-host.ts';
import { type Performer, failed } from './performer.ts';
import { isSlotActive } from './server-performers.ts';

/** Time limit of a question to our own server. */
export const PROBE_LIMIT_MS = 1_500;
const INSPECT_LIMIT_MS = 2_000;

export const probeServer: Performer<'probe-server'> = (performing, _action, answer) => {
  const { host, loop, world } = performing;
  const isFrozen = host.postgres.running?.postmaster === 'frozen';
  const takesMs = isFrozen ? PROBE_LIMIT_MS : world.random.between(0.5, 3);
  loop.process.after(takesMs, () => answer({ kind: 'done', probe: observeServer(host) }));
};

/** What a query over a fresh connection tells of this host's server now. */
export const observeServer = (host: SimHost): ServerProbe => {
  const instance = host.postgres.running;
  if (instance === undefined) return { kind: 'none' };
  if (instance.postmaster === 'frozen')
    return { kind: 'no-answer', cause: `no answer within ${PROBE_LIMIT_MS} ms` };
  if (instance.postmaster === 'dead') return { kind: 'no-answer', cause: 'connection refused' };
  if (instance.phase === 'starting') return { kind: 'starting' };
  if (instance.phase === 'stopping')
    return { kind: 'no-answer', cause: 'the database system is shutting down' };
  return observeInstance(instance);
};

const observeInstance = (instance: Instance): ServerAnswer => {
  const { data, inRecovery } = instance;
  const end = data.wal.end;
  const isKnown = !inRecovery || instance.consumed;
  const position = { timeline: data.lineage.timeline, lsn: lsn(end) };
  return {
    kind: 'answers',
    systemIdentifier: data.systemIdentifier,
    serverVersion: 150_000,
    inRecovery,
    lineage: data.lineage,
    position: isKnown ? knownPosition(position) : unknownPosition,
    receivedLsn: receivedLsn(instance),
    replayedLsn: inRecovery ? lsn(isKnown ? end : segmentStart(end)) : undefined,
    replayedAt: undefined,
    replayPaused: false,
    streaming: instance.receiver?.isStreaming === true,
    receiving: instance.receiver?.isStreaming === true,
    upstream: inRecovery ? instance.upstream?.address : undefined,
    standbys: instance.senders.map((sender) => describeStandby(sender)),
    slots: describeSlots(instance),
    startedAt: String(instance.startedAt),
    pendingRestart: false,
  };
};

/** After a restart it begins again at the start of the segment that is asked for first. */
const receivedLsn = (instance: Instance): Lsn | undefined => {
  if (!instance.inRecovery) return undefined;
  const { end } = instance.data.wal;
  if (instance.hasReceived) return lsn(end);
  return instance.receiver?.isStreaming === true ? lsn(segmentStart(end)) : undefined;
};

const describeStandby = (sender: Instance['senders'][number]): ConnectedStandby => ({
  pid: sender.pid,
  replyTime: String(sender.replies),
  applicationName: sender.applicationName,
  state: 'streaming',
  sentLsn: lsn(sender.sentLsn),
  flushLsn: lsn(sender.flushedLsn),
  replayLsn: lsn(sender.flushedLsn),
  syncState: 'async',
  clientAddress: sender.applicationName,
});

const describeSlots = ({ data, senders }: Instance): ReplicationSlot[] =>
  Array.from(data.slots, ([name, slot]) => ({
    name,
    active: isSlotActive(senders, name),
    restartLsn: lsn(slot.restartLsn),
    walStatus: data.isSlotLost(slot) ? 'lost' : 'reserved',
  }));

export const showSyncNames: Performer<'show-sync-names'> = (performing, _action, answer) => {
  const { host, loop, world } = performing;
  loop.process.after(world.random.between(1, 8), () => {
    const instance = host.postgres.running;
    if (instance === undefined || !instance.acceptsConnections)
      return answer(failed('the server does not answer'));
    const senders: Record<string, string> = {};
    for (const { pid, replies } of instance.senders) senders[String(pid)] = String(replies);
    answer({ kind: 'done', shown: { names: instance.syncNames, senders } });
  });
};

/** One role exists in every cluster here; whatever else is asked for does not. */
const ROLE = 'billing';
const SETTINGS_MS = 3;

export const showWaiting: Performer<'show-waiting'> = ({ host, loop }, { roles }, answer) => {
  loop.process.after(SETTINGS_MS, () => {
    const instance = host.postgres.running;
    if (instance === undefined || !instance.acceptsConnections)
      return answer(failed('the server does not answer'));
    const marked = instance.data.markedRoles.has(ROLE);
    const value = marked ? WAITING_VALUE : undefined;
    const role = { kind: 'role', name: ROLE, value, marked, canConnect: true } as const;
    answer({ kind: 'done', settings: roles.includes(ROLE) || marked ? [role] : [] });
  });
};

export const inspectUpstream: Performer<'inspect-upstream'> = (
  { host, loop, world },
  { upstream },
  answer,
) => {
  const peer = world.hosts.get(upstream.member);
  const { network, random } = world;
  const isReached = network.isConnected(host.name, upstream.member);
  const takesMs = isReached ? random.between(3, 15) : INSPECT_LIMIT_MS;
  loop.process.after(takesMs, () => {
    const instance = peer?.postgres.running;
    if (!isReached || !network.isConnected(host.name, upstream.member))
      return answer(failed(`${upstream.member} is not reached`));
    if (instance === undefined || !instance.acceptsConnections || instance.startedAs === 'private')
      return answer(failed(`${upstream.member} does not let us in`));
    const { data, inRecovery } = instance;
    answer({
      kind: 'done',
      facts: {
        member: upstream.member,
        systemIdentifier: data.systemIdentifier,
        inRecovery,
        timeline: data.lineage.timeline,
        lineage: data.lineage,
        oldestLsn: lsn(data.oldestLsn),
        currentLsn: lsn(data.wal.end),
        checkpointed: data.checkpointTimeline === data.lineage.timeline,
      },
    });
  });
};
