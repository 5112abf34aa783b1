-- Written by Matriarch. Changes are overwritten.
-- Lets a connection wait until a server it can go to is up. See haproxy.cfg.
local LOOK_MS = 5
local SLOW_LOOK_MS = 20
local SLOW_FROM_MS = 500

-- Which servers of these backends are up, as one text.
local function look(txn, backends)
  local up = ''
  for backend in string.gmatch(backends, '[^,]+') do
    for server in pairs(core.backends[backend].servers) do
      local answer = txn.f:srv_is_up(backend .. '/' .. server)
      -- Up to HAProxy 3.0 a boolean reaches Lua as a number, and 0 is true in Lua.
      if server ~= 'waiting-room' and (answer == 1 or answer == true) then
        up = up .. backend .. '/' .. server .. ' '
      end
    end
  end
  return up
end

core.register_action('wait_for_server', { 'tcp-req' }, function(txn, backends, limit, change)
  local limit_ms = tonumber(limit)
  local change_ms = tonumber(change)
  local waited_ms = 0
  local at_first = look(txn, backends)
  while waited_ms < limit_ms do
    local up = look(txn, backends)
    if up ~= '' and (up ~= at_first or waited_ms >= change_ms) then return end
    local pause_ms = waited_ms < SLOW_FROM_MS and LOOK_MS or SLOW_LOOK_MS
    core.msleep(pause_ms)
    waited_ms = waited_ms + pause_ms
  end
end, 3)
