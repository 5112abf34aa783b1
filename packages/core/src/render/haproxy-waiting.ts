import { PRIMARY_BACKEND, WAITING_ROOM, mustBeOneLine } from './haproxy-words.ts';

/**
 * The script that lets new connections wait for the next primary instead of being refused.
 *
 * Without it a connection that comes while nobody is primary is closed at once. Applications get
 * errors for the whole failover, and PgBouncer, having failed to log in, waits `server_login_retry`
 * (at least a second) before it tries again: a failover of 0.15 s becomes an outage of a second.
 *
 * There are two ways into the wait:
 * 1. HAProxy knows that no server is up. The front door itself waits.
 * 2. HAProxy still believes in a primary that has just died, and is refused. It tries another
 *    server and finds the waiting room, which is one. That waits for *another* server to be up than
 *    those it saw at first, or for a moment (`changeMs`): perhaps the same one has started again.
 *
 * The waiting itself is done by a service of its own, the gate, which answers when it is over. An
 * action in the stream of a connection must not sleep: when the host stalls for longer than the
 * sleep, HAProxy takes the wake-up for expired, drops it, and the stream sleeps until its
 * inspection ends (seen in 2.6, for 118 of 200 waiting connections on a busy processor). A
 * service's wake-up is a timer of its own and is not lost, and an answer over a socket wakes the
 * stream whenever it comes.
 *
 * It depends on nobody but HAProxy, and works as well when the process beside it is dead.
 */
const SCRIPT = `-- Written by Matriarch. Changes are overwritten.
-- Lets a connection wait until a server it can go to is up. See haproxy.cfg.
local GATE = 'unix@' .. @GATE@
local LOOK_MS = 5
local SLOW_LOOK_MS = 20
local SLOW_FROM_MS = 500
local ANSWER_MARGIN_S = 1

-- Which servers of these backends are up, as one text.
local function look(applet, backends)
  local up = ''
  for backend in string.gmatch(backends, '[^,]+') do
    for server in pairs(core.backends[backend].servers) do
      local answer = applet.f:srv_is_up(backend .. '/' .. server)
      -- Up to HAProxy 3.0 a boolean reaches Lua as a number, and 0 is true in Lua.
      if server ~= '${WAITING_ROOM}' and (answer == 1 or answer == true) then
        up = up .. backend .. '/' .. server .. ' '
      end
    end
  end
  return up
end

-- Is asked "<backends> <limit> <change>" and answers when the wait is over.
core.register_service('waiting_gate', 'tcp', function(applet)
  local question = applet:getline() or ''
  local backends, limit, change = string.match(question, '^(%S+) (%d+) (%d+)')
  if backends == nil then return end
  local limit_ms = tonumber(limit)
  local change_ms = tonumber(change)
  local waited_ms = 0
  local at_first = look(applet, backends)
  while waited_ms < limit_ms do
    local up = look(applet, backends)
    if up ~= '' and (up ~= at_first or waited_ms >= change_ms) then break end
    local pause_ms = waited_ms < SLOW_FROM_MS and LOOK_MS or SLOW_LOOK_MS
    core.msleep(pause_ms)
    waited_ms = waited_ms + pause_ms
  end
  applet:send('over\\n')
end)

core.register_action('wait_for_server', { 'tcp-req' }, function(_, backends, limit, change)
  local gate = core.tcp()
  gate:settimeout(tonumber(limit) / 1000 + ANSWER_MARGIN_S)
  if gate:connect(GATE) then
    gate:send(backends .. ' ' .. limit .. ' ' .. change .. '\\n')
    gate:receive('*l')
  end
  gate:close()
end, 3)
`;

/** A Lua string. Lua knows the same escapes for what stands in a path on one line. */
const quoteLua = (value: string): string =>
  `'${mustBeOneLine('a path', value).replace(/[\\']/g, '\\$&')}'`;

/** The Lua file that `renderHaproxyConfig` refers to as `waitingScript`. */
export const renderWaitingScript = (gateSocket: string): string =>
  SCRIPT.replace('@GATE@', () => quoteLua(gateSocket));

/** How long a refused connection waits for another primary before it tries the same one again. */
const CHANGE_LIMIT_MS = 500;
/** HAProxy itself must be more patient than the script, or it cuts the script's wait short. */
const INSPECTION_MARGIN_MS = 2_000;

const renderWait = (wait: {
  readonly backends: readonly string[];
  readonly limitMs: number;
  readonly changeMs: number;
  readonly condition: string;
}): readonly string[] => [
  `tcp-request inspect-delay ${wait.limitMs + INSPECTION_MARGIN_MS}ms`,
  `tcp-request content lua.wait_for_server ${wait.backends.join(',')} ` +
    `${wait.limitMs} ${wait.changeMs}${wait.condition}`,
];

/** Lines for a front door whose connections wait while `nobodyUp` holds. */
export const renderDoorWait = (door: {
  readonly backends: readonly string[];
  readonly limitMs: number;
  readonly nobodyUp: string;
}): readonly string[] => renderWait({ ...door, changeMs: 0, condition: ` if ${door.nobodyUp}` });

/** Lines for the waiting room itself. */
export const renderRoomWait = (limitMs: number): readonly string[] =>
  renderWait({
    backends: [PRIMARY_BACKEND],
    limitMs,
    changeMs: Math.min(CHANGE_LIMIT_MS, limitMs),
    condition: '',
  });

/** The gate serves everybody who waits, at both doors and in the waiting room. */
const PLACES_TO_WAIT = 3;

/** Lines for the frontend of the gate. */
export const renderGate = (maxConnections: number): readonly string[] => [
  `maxconn ${maxConnections * PLACES_TO_WAIT}`,
  'tcp-request content use-service lua.waiting_gate',
];
