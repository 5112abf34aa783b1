import { MATRIARCH_VERSION, PATRONI_VERSION } from '@matriarch/protocol';
import type { CounterReadings } from '../metrics/agent-counters.ts';
import { type MetricFamily, counter, gauge } from '../metrics/metric-family.ts';
import type { MemberFacts } from './member-facts.ts';

/** Patroni's numbers for its words of a member's state. */
const STATE_NUMBERS: Readonly<Record<string, number>> = {
  'initializing new cluster': 0,
  'initdb failed': 1,
  'running custom bootstrap script': 2,
  'custom bootstrap failed': 3,
  'creating replica': 4,
  running: 5,
  starting: 6,
  'starting after custom bootstrap': 7,
  'start failed': 8,
  restarting: 9,
  'restart failed': 10,
  stopping: 11,
  stopped: 12,
  'stop failed': 13,
  crashed: 14,
};

/** 4.1.4 becomes 040104. */
const versionNumber = (version: string): string =>
  version
    .split('.')
    .map((part) => part.padStart(2, '0'))
    .join('');

/** Seconds since 1970 of a time as PostgreSQL's answers carry it; 0 when there is none. */
const epochSeconds = (time: string | undefined): number => {
  const milliseconds = Date.parse((time ?? '').replace(' ', 'T'));
  return Number.isNaN(milliseconds) ? 0 : milliseconds / 1_000;
};

/** What Patroni's own `/metrics` has, under its names, so that its dashboards go on working. */
export const collectPatroniMetrics = (facts: MemberFacts): readonly MetricFamily[] => [
  gauge(
    'patroni_version',
    'Emulated Patroni version without periods.',
    versionNumber(PATRONI_VERSION),
  ),
  ...collectServer(facts),
  ...collectRole(facts),
  ...collectWal(facts),
  ...collectCluster(facts),
];

const collectServer = ({ server, document, replicationState }: MemberFacts) => [
  gauge('patroni_postgres_running', '1 if PostgreSQL runs and answers.', server !== undefined),
  gauge(
    'patroni_postgres_state',
    'State of PostgreSQL as a number: 4 creating replica, 5 running, 6 starting, 8 start failed, ' +
      '11 stopping, 12 stopped, 14 crashed, 0 initializing new cluster.',
    STATE_NUMBERS[document.state] ?? -1,
  ),
  gauge(
    'patroni_postmaster_start_time',
    'When PostgreSQL was started, in seconds since 1970; 0 if it does not run.',
    epochSeconds(server?.startedAt),
  ),
  gauge(
    'patroni_postgres_server_version',
    'Version of PostgreSQL as a number; 0 if it does not run.',
    server?.serverVersion ?? 0,
  ),
  counter(
    'patroni_postgres_timeline',
    'Timeline of PostgreSQL; 0 if it does not run.',
    server?.lineage.timeline ?? 0,
  ),
  gauge(
    'patroni_pending_restart',
    '1 if PostgreSQL needs a restart.',
    server?.pendingRestart ?? false,
  ),
  gauge('patroni_postgres_streaming', '1 if a standby streams.', replicationState === 'streaming'),
  gauge(
    'patroni_postgres_in_archive_recovery',
    '1 if a standby reads WAL from the archive.',
    replicationState === 'in archive recovery',
  ),
];

const collectRole = ({ role, synchrony }: MemberFacts) => [
  gauge('patroni_primary', '1 if PostgreSQL is out of recovery.', role === 'primary'),
  gauge('patroni_standby_leader', '1 if it leads a standby cluster.', role === 'standby_leader'),
  gauge('patroni_replica', '1 if it is a replica.', role === 'replica'),
  gauge('patroni_sync_standby', '1 if it is a synchronous standby.', synchrony === 'sync'),
  gauge('patroni_quorum_standby', '1 if it is in the synchronous quorum.', synchrony === 'quorum'),
];

const collectWal = ({ server }: MemberFacts) => {
  const isStandby = server?.inRecovery === true;
  const flushed = server?.inRecovery === false && server.position.known;
  return [
    counter(
      'patroni_xlog_location',
      'Flushed position of a primary in bytes, else 0.',
      flushed && server.position.known ? server.position.position.lsn : 0,
    ),
    counter(
      'patroni_xlog_received_location',
      'Received position of a standby in bytes, else 0.',
      isStandby ? (server.receivedLsn ?? server.replayedLsn ?? 0) : 0,
    ),
    counter(
      'patroni_xlog_replayed_location',
      'Replayed position of a standby in bytes, else 0.',
      isStandby ? (server.replayedLsn ?? 0) : 0,
    ),
    gauge(
      'patroni_xlog_replayed_timestamp',
      'Commit time of the last replayed transaction, in seconds since 1970; 0 if none.',
      epochSeconds(isStandby ? server.replayedAt : undefined),
    ),
    gauge('patroni_xlog_paused', '1 if replay is paused.', server?.replayPaused ?? false),
  ];
};

const collectCluster = ({
  clusterUnlocked,
  failsafeActive,
  storeLastSeen,
  settings,
}: MemberFacts) => [
  gauge('patroni_cluster_unlocked', '1 if nobody is known to hold the lease.', clusterUnlocked),
  gauge(
    'patroni_failsafe_mode_is_active',
    '1 if a store outage is bridged by promises.',
    failsafeActive,
  ),
  gauge(
    'patroni_dcs_last_seen',
    'When the store last answered, in seconds since 1970; 0 if never.',
    storeLastSeen,
  ),
  gauge('patroni_is_paused', '1 if the cluster is configured to be paused.', settings.paused),
];

/** What only we know. */
export const collectOwnMetrics = (
  facts: MemberFacts,
  counters: CounterReadings,
): readonly MetricFamily[] => {
  const { view, server } = facts;
  const { storeFailingSince, job, unpromised } = view.state;
  const failingMs = storeFailingSince === undefined ? 0 : view.now - storeFailingSince;
  const jobLabels = { job: job?.kind ?? '' };
  return [
    {
      name: 'matriarch_info',
      help: 'Always 1; the version is a label.',
      type: 'gauge',
      samples: [{ labels: { version: MATRIARCH_VERSION }, value: 1 }],
    },
    gauge('matriarch_lease_held', '1 if we hold the lease and it has not run out.', view.holding),
    gauge(
      'matriarch_lease_remaining_seconds',
      'Time until our server would be fenced if no renewal were confirmed; 0 without the lease.',
      view.remainingMs / 1_000,
    ),
    gauge(
      'matriarch_store_failing_seconds',
      'For how long the store has not answered; 0 if it does.',
      failingMs / 1_000,
    ),
    gauge(
      'matriarch_position_known',
      '1 if PostgreSQL answers and its end of WAL is known.',
      server?.position.known ?? false,
    ),
    gauge(
      'matriarch_replay_lag_bytes',
      'Bytes of WAL a standby has not replayed; absent when unknown.',
      facts.replayLagBytes,
    ),
    ...(['done', 'total'] as const).map((which): MetricFamily => {
      const value = which === 'done' ? job?.doneBytes : job?.totalBytes;
      return {
        name: `matriarch_job_${which}_bytes`,
        help: `Bytes of the work under way on the data directory: ${which}.`,
        type: 'gauge',
        samples: value === undefined ? [] : [{ labels: jobLabels, value }],
      };
    }),
    gauge(
      'matriarch_loop_last_step_seconds',
      'Time since the loop last took a step.',
      facts.loopAgeMs / 1_000,
    ),
    ...collectUnpromised(unpromised),
    ...collectCounters(counters),
  ];
};

/** A count of what is not seen would be taken for good news. */
const collectUnpromised = ({
  cancelled,
  terminated,
  blind,
  exposed,
}: MemberFacts['view']['state']['unpromised']): readonly MetricFamily[] => {
  const count = cancelled + terminated;
  return [
    counter(
      'matriarch_commits_cancelled_total',
      'Commits whose wait for standbys was cancelled, since this loop began; absent while that ' +
        'cannot be told from the log of PostgreSQL.',
      blind !== undefined && count === 0 ? undefined : count,
    ),
    counter(
      'matriarch_commits_exposed_total',
      'Commits that too few standbys are known to have had when PostgreSQL ended, and that are ' +
        'visible since it was started again: at the most, since this loop began.',
      exposed,
    ),
  ];
};

const collectCounters = (counters: CounterReadings): readonly MetricFamily[] => [
  counter('matriarch_loop_steps_total', 'Steps of this loop.', counters.steps),
  {
    name: 'matriarch_actions_total',
    help: 'Actions of this loop, by kind.',
    type: 'counter',
    samples: Array.from(counters.actions, ([action, value]) => ({ labels: { action }, value })),
  },
  {
    name: 'matriarch_action_failures_total',
    help: 'Actions that failed, or of which nobody knows whether they did.',
    type: 'counter',
    samples: counters.failures.map(({ action, outcome, count }) => ({
      labels: { action, outcome },
      value: count,
    })),
  },
  {
    name: 'matriarch_decisions_total',
    help: 'Decisions of this loop that had an effect, by rule.',
    type: 'counter',
    samples: Array.from(counters.decisions, ([rule, value]) => ({ labels: { rule }, value })),
  },
];
