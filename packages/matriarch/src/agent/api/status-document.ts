import {
  type Lineage,
  type Lsn,
  type ServerAnswer,
  assemblePeerAnswer,
  ownWaiting,
} from '@matriarch/core';
import {
  type ExactJson,
  type ExactJsonObject,
  MATRIARCH_VERSION,
  OUR_FIELD,
  PATRONI_VERSION,
  encodeJob,
  encodeScheduledRestart,
  encodeWaiting,
} from '@matriarch/protocol';
import type { MemberFacts } from './member-facts.ts';

/**
 * `GET /patroni`, and the body of every health check: Patroni's document, with what our own members
 * want to know of each other under `matriarch`. While PostgreSQL does not answer there is no `xlog`
 * (rule S12): in an election of Patroni's members everybody would wait for us.
 */
export const assembleStatusDocument = (facts: MemberFacts): ExactJsonObject => {
  const { server, view, document, settings } = facts;
  const { name } = view.state.self;
  return {
    state: document.state,
    postmaster_start_time: server?.startedAt,
    role: facts.role,
    server_version: server?.serverVersion,
    xlog: server === undefined ? undefined : assembleXlog(server),
    timeline: server?.lineage.timeline,
    replication_state: facts.replicationState,
    replication: assembleReplication(server),
    sync_standby: facts.synchrony === 'sync' || undefined,
    quorum_standby: facts.synchrony === 'quorum' || undefined,
    pause: settings.paused || undefined,
    cluster_unlocked: facts.clusterUnlocked || undefined,
    failsafe_mode_is_active: facts.failsafeActive || undefined,
    dcs_last_seen: facts.storeLastSeen,
    tags: facts.tags,
    database_system_identifier: systemIdentifierOf(facts),
    pending_restart: server?.pendingRestart === true || undefined,
    scheduled_restart: encodeScheduledRestart(document.scheduledRestart),
    patroni: { version: PATRONI_VERSION, scope: facts.scope, name },
    [OUR_FIELD]: assembleExtension(facts),
  };
};

/**
 * Readers take the higher of received and replayed for a standby's position. What has been received
 * is raised to the position where that is known better, as without a walreceiver.
 */
const assembleXlog = (server: ServerAnswer): ExactJsonObject => {
  const known = server.position.known ? server.position.position.lsn : undefined;
  if (!server.inRecovery) return { location: known ?? 0n };
  const { receivedLsn, replayedLsn } = server;
  return {
    received_location: higher(receivedLsn, known) ?? replayedLsn ?? 0n,
    replayed_location: replayedLsn ?? 0n,
    replayed_timestamp: server.replayedAt ?? null,
    paused: server.replayPaused,
  };
};

const higher = (a: Lsn | undefined, b: Lsn | undefined): Lsn | undefined => {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
};

const assembleReplication = (server: ServerAnswer | undefined): ExactJson | undefined => {
  if (server === undefined || server.standbys.length === 0) return undefined;
  return server.standbys.map(({ applicationName, clientAddress, state, syncState }) => ({
    application_name: applicationName,
    client_addr: clientAddress === '' ? null : clientAddress,
    state,
    sync_state: syncState,
  }));
};

const systemIdentifierOf = ({ server, view }: MemberFacts): string | undefined =>
  server?.systemIdentifier ?? view.data?.systemIdentifier ?? view.systemIdentifier;

/** What the members of a cluster of ours want to know of each other, read by `parsePeerStatus`. */
const assembleExtension = ({ view, server }: MemberFacts): ExactJsonObject => {
  const answer = assemblePeerAnswer(view.state);
  if (answer.kind !== 'answers') return { version: MATRIARCH_VERSION };
  return {
    version: MATRIARCH_VERSION,
    running: answer.running,
    primary: answer.primary,
    position_known: server?.position.known ?? false,
    lineage: answer.lineage === undefined ? undefined : assembleLineage(answer.lineage),
    electable: answer.electable,
    vote: answer.vote,
    promised_to: answer.promisedTo,
    job: encodeJob(view.state.job),
    waiting: encodeWaiting(ownWaiting(view)),
  };
};

/** Oldest first, the timelines it came from, each with the LSN where it was left. */
const assembleLineage = ({ ancestors }: Lineage): ExactJson =>
  ancestors.map(({ timeline, switchLsn }) => [timeline, switchLsn]);
