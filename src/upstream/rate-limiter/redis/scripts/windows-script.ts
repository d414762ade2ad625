/**
 * First part of the exchange script (Lua, run by Redis): how many slots of each window are in use.
 *
 * A call is one member of a sorted set. Its score is the time at which it settled; while it is in flight, the time at
 * which its lease ends. A window of any length is therefore a range of the set, and a window learned later counts the
 * earlier calls too. All times are milliseconds of Redis' clock.
 */
export const WINDOWS_SCRIPT = `
local GENERATION, INSTANCES, STATE, CALLS, BURST, HELD, WAITS, RESERVED = unpack(KEYS)
local now = nowUs / 1000
local function text(number) return string.format('%.17g', number) end

local state, isChanged = {}, {}
do
  local flat = redis.call('HGETALL', STATE)
  for i = 1, #flat, 2 do state[flat[i]] = flat[i + 1] end
end
local function num(field, default) return tonumber(state[field] or '') or default end
local function set(field, value)
  if type(value) == 'number' then value = text(value) end
  if state[field] ~= value then state[field] = value; isChanged[field] = true end
end
local function add(field, count) set(field, num(field, 0) + count) end

-- Windows: the two configured ones, then those that responses have announced.
local windows, windowOf = {}, {}
local function addWindow(name, class, ms, limit, cap)
  local current = num('limit:' .. name, limit)
  local window = { name = name, class = class, ms = ms, limit = current, initial = limit, cap = cap }
  windows[#windows + 1] = window
  windowOf[name] = window
  return window
end
local generalCap = input.general.isCap and input.general.limit or nil
local general = addWindow('general', 'general', input.general.windowMs, input.general.limit, generalCap)
local burst = input.burst and addWindow('burst', 'burst', input.burst.windowMs, input.burst.limit, input.burst.limit)
for field, value in pairs(state) do
  local name = string.match(field, '^learned:(.+)$')
  if name then
    local class, limit = string.match(value, '^(%a+) (.+)$')
    addWindow(name, class, tonumber(name), tonumber(limit))
  end
end
local longestMs = 0
for _, window in ipairs(windows) do longestMs = math.max(longestMs, window.ms) end

local function counts(window, class) return window.class == 'general' or class == 'burst' end
local function setOf(class) return class == 'burst' and BURST or CALLS end

redis.call('ZREMRANGEBYSCORE', CALLS, '-inf', text(now - longestMs))
redis.call('ZREMRANGEBYSCORE', BURST, '-inf', text(now - longestMs))

-- Reservations: slots for refused calls, which are expected again at the time named to the client.
local reserved = {}
do
  local flat = redis.call('HGETALL', RESERVED)
  for i = 1, #flat, 2 do
    local class, id, untilMs = string.match(flat[i + 1], '^(%a+) (%S+) (%S+)$')
    if tonumber(untilMs) > now then reserved[flat[i]] = { class = class, id = id }
    else redis.call('HDEL', RESERVED, flat[i]) end
  end
end
local function countReserved(window)
  local count = 0
  for _, one in pairs(reserved) do if counts(window, one.class) then count = count + 1 end end
  return count
end

-- Slots used by clients outside this store, according to responses. Member: "window lot size"; score: when free again.
redis.call('ZREMRANGEBYSCORE', HELD, '-inf', text(now))
local held = {}
local function loadHeld()
  held = {}
  local flat = redis.call('ZRANGE', HELD, 0, -1, 'WITHSCORES')
  for i = 1, #flat, 2 do
    local name, _, size = string.match(flat[i], '^(%S+) (%S+) (%S+)$')
    held[#held + 1] = { member = flat[i], name = name, size = tonumber(size), atMs = tonumber(flat[i + 1]) }
  end
end
loadHeld()
local function countHeld(window)
  local count = 0
  for _, lot in ipairs(held) do if lot.name == window.name then count = count + lot.size end end
  return count
end
local function addHeld(window, size, atMs)
  add('lots', 1)
  redis.call('ZADD', HELD, text(atMs), window.name .. ' ' .. state.lots .. ' ' .. text(size))
end

local function inFlight(class) return redis.call('ZCOUNT', setOf(class), '(' .. text(now), '+inf') end
local function localUsed(window)
  return redis.call('ZCOUNT', setOf(window.class), '(' .. text(now - window.ms), '+inf') + countReserved(window)
end
local function free(window) return math.max(0, window.limit - localUsed(window) - countHeld(window)) end

-- How many slots are in use when a call is granted; needed to interpret the limits that its response announces.
local function measureUsage()
  local usage = { at = text(now) }
  for _, window in ipairs(windows) do
    local inFlightNow = inFlight(window.class) + countReserved(window)
    local taken, heldEver = num('taken:' .. window.class, 0), num('held:' .. window.name, 0)
    usage[window.name] = { localUsed(window), inFlightNow, taken, heldEver }
  end
  return usage
end

local function hold(window, count, fromMs, toMs)
  add('held:' .. window.name, count)
  local lots = math.min(count, 60)
  for lot = 0, lots - 1 do
    local size = math.floor(count * (lot + 1) / lots) - math.floor(count * lot / lots)
    addHeld(window, size, fromMs + math.max(0, toMs - fromMs) * lot / lots)
  end
  loadHeld()
end

-- Frees slots held for others, but not those held since the total was heldThen.
local function releaseHeld(window, count, heldThen)
  count = math.min(count, countHeld(window) - (num('held:' .. window.name, 0) - heldThen))
  for _, lot in ipairs(held) do
    if count <= 0 then break end
    if lot.name == window.name then
      redis.call('ZREM', HELD, lot.member)
      if lot.size > count then addHeld(window, lot.size - count, lot.atMs) end
      count = count - lot.size
    end
  end
  loadHeld()
end

local function bringForward(window, atMs)
  for _, lot in ipairs(held) do
    if lot.name == window.name then
      if lot.atMs > atMs then
        redis.call('ZREM', HELD, lot.member)
        if lot.size > 1 then addHeld(window, lot.size - 1, lot.atMs) end
        addHeld(window, 1, atMs)
      end
      break
    end
  end
  loadHeld()
end
`;
