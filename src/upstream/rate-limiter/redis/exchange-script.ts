import { RESPONSES_SCRIPT, CHANGES_SCRIPT } from './replies-script.ts';
import { CLOCK_SCRIPT, GENERATION_SCRIPT } from './generation-script.ts';
import { WINDOWS_SCRIPT } from './windows-script.ts';

const FREE_SLOTS_SCRIPT = `
local function mostOut()
  return math.min(input.maxConcurrentCalls, math.max(1, num('monthRemaining', input.maxConcurrentCalls)))
end
local coldUntil = input.coldStart == 'probe' and bornAt + input.closeMs or 0
local function isInDoubt() return state.doubt == '1' or (not state.doubt and now < coldUntil) end
local function burstColdUntil() return burst and not state.burstDoubt and input.coldStart == 'probe' and bornAt + input.closeMs or 0 end

local function leave(window)
  return math.min(window == general and input.reservedCalls or math.min(1, input.reservedCalls), window.limit - 1)
end

-- Whether first calls, and later ones, of the class can be sent now.
local function room(class)
  if now < math.max(closedUntil, num('pausedUntil', 0)) or state.movedTo then return false, false end
  local calls, most = out('general'), mostOut()
  if calls >= most then return false, false end
  if now < num('lastSent', 0) + 1000 then
    if isInDoubt() and calls > 0 then return false, false end
    if class == 'burst' and out('burst') > 0 and now < burstColdUntil() then return false, false end
  end
  local forLater = calls < most - math.min(1, input.reservedCalls, most - 1)
  for _, window in ipairs(windows) do
    if counts(window, class) and not window.isForgotten then
      local left = free(window)
      if left <= 0 then return false, false end
      if left <= leave(window) then forLater = false end
    end
  end
  return true, forLater
end

local FRESH_MS = 6000
-- What waits elsewhere: of each instance and class the lowest virtual time.
local function otherWaits()
  local flat, waits = redis.call('HGETALL', HEADS), {}
  for i = 1, #flat, 2 do
    local class, instance = string.match(flat[i], '^(%a+) (%S+)$')
    local virtualTime, usesReserve, atMs = string.match(flat[i + 1], '^(%S+) (%S+) (%S+)$')
    if now - tonumber(atMs) > FRESH_MS then redis.call('HDEL', HEADS, flat[i])
    elseif instance ~= input.instance then
      waits[#waits + 1] = { field = flat[i], class = class, virtualTime = tonumber(virtualTime), usesReserve = usesReserve == '1' }
    end
  end
  return waits
end

-- Who goes before a call that could be sent: a lower virtual time of its class, or the other class, whose turn it is.
local function findBefore(ask, forLater, waits)
  local before
  for _, wait in ipairs(waits) do
    if wait.class == ask.class then
      if wait.virtualTime < ask.virtualTime and (wait.usesReserve or forLater) and (not before or before.class ~= ask.class or wait.virtualTime < before.virtualTime) then before = wait end
    elseif not before and ask.virtualTime >= 0 and state.lastClass == ask.class then
      local otherFirst, otherLater = room(wait.class)
      if otherLater or (otherFirst and wait.usesReserve) then before = wait end
    end
  end
  return before
end

local function countBefore(ask, waits)
  local ofClass, ofOther = 0, 0
  for _, wait in ipairs(waits) do
    if wait.class ~= ask.class then ofOther = ofOther + 1
    elseif wait.virtualTime < ask.virtualTime then ofClass = ofClass + 1 end
  end
  -- The classes take turns.
  return ofClass + math.min(ofOther, ofClass + (state.lastClass == ask.class and 1 or 0))
end

local function noteWait(ask, wait)
  local field = ask.class .. ' ' .. input.instance
  if wait then redis.call('HSET', HEADS, field, text(wait.virtualTime) .. ' ' .. (wait.usesReserve and '1' or '0') .. ' ' .. text(now))
  else redis.call('HDEL', HEADS, field) end
end
`;

const GRANT_SCRIPT = `
local isGranted, isYielding, rank, shift = false, false, 0, 0

local function grant(ask)
  isGranted = true
  countTaken(ask.class, 1)
  set('virtualTime:' .. ask.class, math.max(num('virtualTime:' .. ask.class, 0), ask.virtualTime))
end

local function reserve(ask)
  local most = math.huge
  for _, window in ipairs(windows) do
    if counts(window, ask.class) then most = math.min(most, math.floor(window.limit * ask.mostShare * math.min(1, window.ms / 30000))) end
  end
  local count = 0
  for _, one in pairs(reserved) do if one.class == ask.class then count = count + 1 end end
  if not room(ask.class) or count >= most or reserved[ask.key] then return end
  reserved[ask.key] = { class = ask.class, id = ask.id }
  redis.call('HSET', RESERVED, ask.key, ask.class .. ' ' .. ask.id .. ' ' .. text(now + input.leaseMs))
  grant(ask)
end

local function take(ask)
  -- A call that comes from an instance where nothing has waited starts at the current virtual time.
  if ask.knownVirtualTime and ask.virtualTime >= 0 then
    shift = math.max(0, num('virtualTime:' .. ask.class, 0) - ask.knownVirtualTime)
    ask.virtualTime = ask.virtualTime + shift
    if ask.next then ask.next.virtualTime = ask.next.virtualTime + shift end
  end
  local forFirst, forLater = room(ask.class)
  local waits = otherWaits()
  if forFirst and (forLater or ask.usesReserve) then
    local before = findBefore(ask, forLater, waits)
    if before and state.yieldTo == before.field and now - num('yieldAt', 0) > input.yieldMs then
      -- It has had its chance, and is gone or late.
      redis.call('HDEL', HEADS, before.field)
      before = nil
    end
    if before then
      isYielding = true
      if state.yieldTo ~= before.field then set('yieldTo', before.field); set('yieldAt', now) end
    else
      grant(ask)
      putCall(ask.class, ask.id, now + input.leaseMs)
      set('lastSent', now)
      set('lastClass', ask.class)
      if state.yieldTo == ask.class .. ' ' .. input.instance then set('yieldTo', nil) end
    end
  end
  if isGranted then noteWait(ask, ask.next) else noteWait(ask, ask) end
  rank = countBefore(ask, waits)
end
`;

const REPLY_SCRIPT = `
local results = {}
for i, one in ipairs(input.changes) do results[i] = change[one.kind](one) and '1' or '0' end
local ask = input.ask
if ask then if ask.kind == 'take' then take(ask) else reserve(ask) end end

local shown = {}
for _, window in ipairs(windows) do
  if not window.isForgotten then
    local ends, times = {}, {}
    local flat = redis.call('ZRANGEBYSCORE', setOf(window.class), '(' .. text(now - window.ms), text(now), 'WITHSCORES', 'LIMIT', 0, 300)
    for i = 2, #flat, 2 do ends[#ends + 1] = flat[i] + window.ms - now end
    for _, lot in ipairs(held) do if lot.name == window.name then for _ = 1, math.min(lot.size, 300) do ends[#ends + 1] = lot.atMs - now end end end
    table.sort(ends)
    for i, at in ipairs(ends) do times[i] = string.format('%.3f', at) end
    local calls = out(window.class)
    shown[#shown + 1] = {
      name = window.name, class = window.class, limit = window.limit, windowMs = window.ms, out = calls + countReserved(window),
      used = ownUsed(window) + countHeld(window), times = table.concat(times, ' '),
    }
  end
end

for field in pairs(isChanged) do
  if state[field] then redis.call('HSET', STATE, field, state[field]) else redis.call('HDEL', STATE, field) end
end
local keepMs = math.ceil(longestMs + input.leaseMs + 1000)
for _, key in ipairs({ CALLS, BURST, HELD, HEADS, RESERVED }) do redis.call('PEXPIRE', key, keepMs) end
redis.call('PEXPIRE', STATE, math.max(keepMs, (state.monthRemaining or state.pausedUntil) and 660000 or 0))

local dump
if input.wantsDump then
  dump = {}
  local isBurst = {}
  for _, id in ipairs(redis.call('ZRANGE', BURST, 0, -1)) do isBurst[id] = true end
  local flat = redis.call('ZRANGE', CALLS, 0, -1, 'WITHSCORES')
  for i = 1, #flat, 2 do dump[#dump + 1] = { id = flat[i], at = flat[i + 1], class = isBurst[flat[i]] and 'burst' or 'general' } end
end

return cjson.encode({
  now = string.format('%.3f', now), generation = generation, instances = instances,
  isGranted = isGranted, isYielding = isYielding, rank = rank, shift = shift, mark = isGranted and mark() or nil, results = table.concat(results),
  pausedMs = num('pausedUntil', 0) - now, closedMs = closedUntil - now, refusals = num('refusals', 0),
  isInDoubt = isInDoubt(), burstColdMs = burstColdUntil() - now, lastSentMs = now - num('lastSent', 0),
  outGeneral = out('general') - out('burst'), outBurst = out('burst'),
  virtualTimeGeneral = num('virtualTime:general', 0), virtualTimeBurst = num('virtualTime:burst', 0),
  hasAnswer = state.hasAnswer == '1', monthLimit = num('monthLimit'), monthRemaining = num('monthRemaining'), monthProbeMs = num('monthProbeAt', 0) - now,
  movedTo = state.movedTo, pausedUntil = state.pausedUntil, dump = dump, windows = shown,
})
`;

/**
 * The script of everything that is asked of the slots of one key: first what has changed, then for whom slots are wanted; it answers with the state.
 * KEYS: see `keysOf`. ARGV: a request as JSON.
 */
export const EXCHANGE_SCRIPT = [
  CLOCK_SCRIPT,
  GENERATION_SCRIPT,
  WINDOWS_SCRIPT,
  RESPONSES_SCRIPT,
  CHANGES_SCRIPT,
  FREE_SLOTS_SCRIPT,
  GRANT_SCRIPT,
  REPLY_SCRIPT,
].join('\n');
