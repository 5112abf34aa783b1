import { PRIMARY_BACKEND, REPLICAS_BACKEND, haproxyServerName } from './haproxy-words.ts';
import type { HaproxyChecks, HaproxyMember } from './haproxy-input.ts';

/** The members that are up, in each of the two backends. */
export interface HaproxyUp {
  readonly primary: readonly string[];
  readonly replicas: readonly string[];
}

export const nobodyUp: HaproxyUp = { primary: [], replicas: [] };

/*
 * Format 1 of HAProxy's "show servers state" (management guide). Fields: backend id and name,
 * server id and name, address, operational state (0 stopped, 2 running), administrative state, two
 * weights, seconds since the last change, status, result and counter of the check, state of the
 * check (6: configured and enabled), agent, forced ids, host name, port, SRV record, TLS, then port
 * and addresses of checks. HAProxy finds its servers by the two names.
 */
const HEADER =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight ' +
  'srv_time_since_last_change srv_check_status srv_check_result srv_check_health ' +
  'srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord ' +
  'srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';

const renderServer = (server: {
  readonly backend: string;
  readonly backendId: number;
  readonly id: number;
  readonly member: HaproxyMember;
  readonly isUp: boolean;
  readonly health: number;
}): string => {
  const { backend, backendId, id, member, isUp, health } = server;
  const check = isUp ? `15 3 ${health} 6` : '6 2 0 6';
  return (
    `${backendId} ${backend} ${id} ${haproxyServerName(member.name)} - ${isUp ? 2 : 0} 0 1 1 0 ` +
    `${check} 0 0 0 - ${member.postgresqlPort} - 0 ${member.restPort} - - 0`
  );
};

/**
 * The state HAProxy begins with. It takes servers for up until the first check says otherwise, so
 * writes could go to a replica for a moment. Told by this file, it begins with those that are known
 * to be up and with no others, after a reload as after a start.
 */
export const renderHaproxyState = (
  members: readonly HaproxyMember[],
  up: HaproxyUp,
  checks: Pick<HaproxyChecks, 'rise' | 'fall'>,
): string => {
  const backends = [
    { backend: PRIMARY_BACKEND, backendId: 1, names: up.primary },
    { backend: REPLICAS_BACKEND, backendId: 2, names: up.replicas },
  ];
  const lines = backends.flatMap(({ backend, backendId, names }) =>
    members.map((member, index) =>
      renderServer({
        backend,
        backendId,
        id: index + 1,
        member,
        isUp: names.includes(member.name),
        // What it takes to fall as if it had always been up.
        health: checks.rise + checks.fall - 1,
      }),
    ),
  );
  return ['1', HEADER, ...lines, ''].join('\n');
};
