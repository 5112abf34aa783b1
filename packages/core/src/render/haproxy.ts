/**
 * The text of haproxy.cfg: one port for writes, one for reads, one for statistics (guide G9).
 *
 * Traffic moves by event, over the runtime socket. The health checks written here are the net: they
 * move it within two seconds when the process beside HAProxy is dead.
 *
 * Needs HAProxy 2.4; tried on 2.6. Tests hold the text against the real program.
 */
import type { HaproxyInput, HaproxyMember } from './haproxy-input.ts';
import { renderDoorWait, renderGate, renderRoomWait } from './haproxy-waiting.ts';
import {
  PRIMARY_BACKEND,
  REPLICAS_BACKEND,
  UNRESOLVED_ADDRESS,
  WAITING_ROOM,
  haproxyServerName,
  quoteHaproxy,
  renderHaproxyAddress,
} from './haproxy-words.ts';

/** Both front doors, and as much again for their connections to the gate and the waiting room. */
const CONNECTION_SHARES = 4;
const STATISTICS_CONNECTIONS = 20;
/** Old workers keep the sessions they have after a reload; the oldest must go at some time. */
const OLD_WORKERS_MAX = 32;
/** More tries than members: the waiting room is always among them. */
const RETRIES_OVER_MEMBERS = 2;
const WEIGHT_OF_WAITING_ROOM = 256;

const indent = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => (line === '' ? line : `    ${line}`));

const section = (title: string, lines: readonly string[]): readonly string[] => [
  title,
  ...indent(lines),
  '',
];

/** Lines that only a HAProxy with Lua understands; one without it refuses as it always did. */
const withLua = (input: HaproxyInput, lines: readonly string[]): readonly string[] =>
  input.waitLimitMs > 0 ? ['.if feature(LUA)', ...lines, '.endif'] : [];

const renderGlobal = (input: HaproxyInput): readonly string[] => {
  const { paths, runAs } = input;
  return section('global', [
    ...(runAs === undefined
      ? []
      : [
          `user ${quoteHaproxy('a user', runAs.user)}`,
          `group ${quoteHaproxy('a group', runAs.group)}`,
        ]),
    `maxconn ${input.maxConnections * CONNECTION_SHARES + STATISTICS_CONNECTIONS}`,
    `stats socket ${quoteHaproxy('a path', paths.runtimeSocket)} ` +
      'mode 600 level admin expose-fd listeners',
    '# Without it every server counts as up until its first check, also a replica as primary.',
    `server-state-file ${quoteHaproxy('a path', paths.stateFile)}`,
    '# A port that somebody else has is an error, not something to be shared with him.',
    'noreuseport',
    `mworker-max-reloads ${OLD_WORKERS_MAX}`,
    ...withLua(input, [`lua-load ${quoteHaproxy('a path', paths.waitingScript)}`]),
  ]);
};

const renderDefaults = (input: HaproxyInput): readonly string[] =>
  section('defaults', [
    'mode tcp',
    'load-server-state-from-file global',
    `maxconn ${input.maxConnections}`,
    'timeout connect 2s',
    `timeout check ${input.checks.limitMs}ms`,
    '# Idle sessions live for half an hour; keepalive finds those whose other end is gone.',
    `timeout client ${input.idleTimeoutMs}ms`,
    `timeout server ${input.idleTimeoutMs}ms`,
    'option clitcpka',
    'clitcpka-idle 30s',
    'clitcpka-intvl 10s',
    'clitcpka-cnt 3',
    'option srvtcpka',
    'srvtcpka-idle 10s',
    'srvtcpka-intvl 3s',
    'srvtcpka-cnt 3',
    '# A server that refuses is left for another one at once.',
    'option redispatch 1',
    `retries ${input.members.length + RETRIES_OVER_MEMBERS}`,
  ]);

const isUp = (backend: string, { name }: HaproxyMember): string =>
  `srv_is_up(${backend}/${haproxyServerName(name)})`;

/** One name for "some member is up": conditions of one name are alternatives. */
const renderPrimaryUp = (input: HaproxyInput): readonly string[] =>
  input.members.map((member) => `acl primary_up ${isUp(PRIMARY_BACKEND, member)}`);

const renderWrite = (input: HaproxyInput): readonly string[] =>
  section('frontend write', [
    `bind ${renderHaproxyAddress(input.write)}`,
    ...renderPrimaryUp(input),
    ...withLua(
      input,
      renderDoorWait({
        backends: [PRIMARY_BACKEND],
        limitMs: input.waitLimitMs,
        nobodyUp: '!primary_up',
      }),
    ),
    'tcp-request content reject if !primary_up',
    `default_backend ${PRIMARY_BACKEND}`,
  ]);

const renderRead = (input: HaproxyInput): readonly string[] => {
  const noReplica = `{ nbsrv(${REPLICAS_BACKEND}) eq 0 }`;
  const nobodyUp = input.readsFallBack ? `${noReplica} !primary_up` : noReplica;
  const replicas = `use_backend ${REPLICAS_BACKEND} if { nbsrv(${REPLICAS_BACKEND}) gt 0 }`;
  return section('frontend read', [
    `bind ${renderHaproxyAddress(input.read)}`,
    ...(input.readsFallBack ? renderPrimaryUp(input) : []),
    ...withLua(
      input,
      renderDoorWait({
        backends: [REPLICAS_BACKEND, ...(input.readsFallBack ? [PRIMARY_BACKEND] : [])],
        limitMs: input.waitLimitMs,
        nobodyUp,
      }),
    ),
    `tcp-request content reject if ${nobodyUp}`,
    ...(input.readsFallBack
      ? [
          '# The last replica gone is no reason to stop reading: the primary can answer, too.',
          replicas,
          `default_backend ${PRIMARY_BACKEND}`,
        ]
      : [`default_backend ${REPLICAS_BACKEND}`]),
  ]);
};

/** Sockets of HAProxy's own, for connections from itself to itself. */
const renderInnerBind = (path: string, { runAs }: HaproxyInput): string => {
  const owner =
    runAs === undefined
      ? ''
      : ` user ${quoteHaproxy('a user', runAs.user)} group ${quoteHaproxy('a group', runAs.group)}`;
  return `bind ${quoteHaproxy('a path', `unix@${path}`)} mode 600${owner}`;
};

const renderWaiting = (input: HaproxyInput): readonly string[] =>
  withLua(input, [
    ...section(`frontend ${WAITING_ROOM}`, [
      renderInnerBind(input.paths.waitingSocket, input),
      ...renderPrimaryUp(input),
      ...renderRoomWait(input.waitLimitMs),
      'tcp-request content reject if !primary_up',
      `default_backend ${PRIMARY_BACKEND}`,
    ]),
    ...section('frontend waiting-gate', [
      renderInnerBind(input.paths.gateSocket, input),
      ...renderGate(input.maxConnections),
    ]),
  ]);

const renderServers = (input: HaproxyInput): readonly string[] =>
  input.members.map(
    (member) =>
      `server ${haproxyServerName(member.name)} ` +
      `${renderHaproxyAddress({ host: member.host, port: member.postgresqlPort })} ` +
      `check port ${member.restPort}`,
  );

const renderCheckSettings = ({ checks, restTls }: HaproxyInput): readonly string[] => {
  const tls =
    restTls?.caFile === undefined
      ? 'verify none'
      : `verify required ca-file ${quoteHaproxy('a path', restTls.caFile)}`;
  return [
    `default-server inter ${checks.intervalMs}ms fastinter ${checks.fastIntervalMs}ms ` +
      `rise ${checks.rise} fall ${checks.fall}`,
    ...(restTls === undefined ? [] : [`default-server check-ssl ${tls}`]),
    '# What a dead host leaves unanswered ends after tcp-ut, not after 15 minutes as usual.',
    `default-server tcp-ut 10s init-addr libc,${UNRESOLVED_ADDRESS}`,
    '# A refused connection brings the next check forward.',
    'default-server observe layer4 error-limit 1 on-error fastinter',
  ];
};

const renderPrimaryBackend = (input: HaproxyInput): readonly string[] =>
  section(`backend ${PRIMARY_BACKEND}`, [
    'balance roundrobin',
    '# The API answers 200 to whoever holds the lease, who may still be in recovery for a moment.',
    '# What the server itself says of its role stands in the body: hence GET.',
    'option httpchk',
    'http-check send meth GET uri /primary',
    'http-check expect status 200',
    'http-check expect rstring "\\"role\\": ?\\"(primary|master)\\""',
    ...renderCheckSettings(input),
    'default-server on-marked-down shutdown-sessions',
    '# The first one that is up, never two in turn. Who is refused there goes to the waiting room.',
    ...input.members.map(
      (member) =>
        `use-server ${haproxyServerName(member.name)} if { ${isUp(PRIMARY_BACKEND, member)} }`,
    ),
    ...renderServers(input),
    ...withLua(input, [
      `server ${WAITING_ROOM} ${quoteHaproxy('a path', `unix@${input.paths.waitingSocket}`)} ` +
        `weight ${WEIGHT_OF_WAITING_ROOM}`,
    ]),
  ]);

const renderReplicasBackend = (input: HaproxyInput): readonly string[] =>
  section(`backend ${REPLICAS_BACKEND}`, [
    'balance roundrobin',
    'option httpchk OPTIONS /replica',
    'http-check expect status 200',
    ...renderCheckSettings(input),
    '# Sessions stay when a replica is taken out: as the new primary it answers them as well.',
    ...renderServers(input),
  ]);

const renderStatistics = (input: HaproxyInput): readonly string[] =>
  section('listen statistics', [
    `bind ${renderHaproxyAddress(input.statistics)}`,
    'mode http',
    `maxconn ${STATISTICS_CONNECTIONS}`,
    'timeout client 30s',
    'timeout server 30s',
    '# To be looked at only: no "stats admin".',
    'stats enable',
    'stats uri /stats',
    'stats refresh 10s',
  ]);

/** Throws without members, and on values that no configuration file can hold: on several lines. */
export const renderHaproxyConfig = (input: HaproxyInput): string => {
  if (input.members.length === 0) throw new Error('there are no members to send connections to');
  return [
    '# Written by Matriarch. Changes are overwritten.',
    '',
    ...renderGlobal(input),
    ...renderDefaults(input),
    ...renderWrite(input),
    ...renderRead(input),
    ...renderWaiting(input),
    ...renderPrimaryBackend(input),
    ...renderReplicasBackend(input),
    ...renderStatistics(input),
  ].join('\n');
};
