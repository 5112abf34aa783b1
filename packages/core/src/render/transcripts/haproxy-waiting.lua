-- Written by Matriarch. Changes are overwritten.
-- Lets a connection wait until a server it can go to is up. See haproxy.cfg.
local GATE = 'unix@' .. '/run/matriarch/gate.sock'
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
      if server ~= 'waiting-room' and (answer == 1 or answer == true) then
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
  applet:send('over\n')
end)

core.register_action('wait_for_server', { 'tcp-req' }, function(_, backends, limit, change)
  local gate = core.tcp()
  gate:settimeout(tonumber(limit) / 1000 + ANSWER_MARGIN_S)
  if gate:connect(GATE) then
    gate:send(backends .. ' ' .. limit .. ' ' .. change .. '\n')
    gate:receive('*l')
  end
  gate:close()
end, 3)
