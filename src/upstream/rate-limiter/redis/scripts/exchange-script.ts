import { RESPONSES_SCRIPT, CHANGES_SCRIPT } from './replies-script.ts';
import { CLOCK_SCRIPT, GENERATION_SCRIPT } from './generation-script.ts';
import { WINDOWS_SCRIPT } from './windows-script.ts';

const FREE_SLOTS_SCRIPT = `
local function maxInFlight()
  return math.min(input.maxConcurrentCalls, math.max(1, num('monthRemaining', input.maxConcurrentCalls)))
end
local coldUntil = input.coldStart == 'probe' and bornAt + input.closeMs or 0
local function isSuspect() return state.suspect == '1' or (not state.suspect and now < coldUntil) end
local function burstColdUntil()
  return burst and not state.burstSuspect and input.coldStart == 'probe' and bornAt + input.closeMs or 0
end

local function slotsToLeave(window)
  return math.min(window == general and input.reservedCalls or math.min(1, input.reservedCalls), window.limit - 1)
end

-- Whether first calls of the class can be sent now, and whether later calls can.
local function freeSlots(class)
  if now < math.max(closedUntil, num('pausedUntil', 0)) or state.movedTo then return false, false end
  local calls, max = inFlight('general'), maxInFlight()
  if calls >= max then return false, false end
  if now < num('lastSent', 0) + 1000 then
    if isSuspect() and calls > 0 then return false, false end
    if class == 'burst' and inFlight('burst') > 0 and now < burstColdUntil() then return false, false end
  end
  local forLater = calls < max - math.min(1, input.reservedCalls, max - 1)
  for _, window in ipairs(windows) do
    if counts(window, class) and not window.isForgotten then
      local left = free(window)
      if left <= 0 then return false, false end
      if left <= slotsToLeave(window) then forLater = false end
    end
  end
  return true, forLater
end

local WAITS_MS = 6000
-- Waiting calls of other instances: per instance and class the one with the lowest virtual time.
local function otherWaits()
  local flat, waits = redis.call('HGETALL', WAITS), {}
  for i = 1, #flat, 2 do
    local class, instance = string.match(flat[i], '^(%a+) (%S+)$')
    local virtualTime, usesReserve, atMs = string.match(flat[i + 1], '^(%S+) (%S+) (%S+)$')
    if now - tonumber(atMs) > WAITS_MS then redis.call('HDEL', WAITS, flat[i])
    elseif instance ~= input.instance then
      waits[#waits + 1] =
        { field = flat[i], class = class, virtualTime = tonumber(virtualTime), usesReserve = usesReserve == '1' }
    end
  end
  return waits
end

-- The waiting call that goes before a request that could be granted: one of its class with a lower virtual time, or one
-- of the other class, if that class is next.
local function findBefore(request, forLater, waits)
  local before
  for _, wait in ipairs(waits) do
    if wait.class == request.class then
      local isEarlier = wait.virtualTime < request.virtualTime and (wait.usesReserve or forLater)
      if isEarlier and (not before or before.class ~= request.class or wait.virtualTime < before.virtualTime) then
        before = wait
      end
    elseif not before and request.virtualTime >= 0 and state.lastClass == request.class then
      local otherFirst, otherLater = freeSlots(wait.class)
      if otherLater or (otherFirst and wait.usesReserve) then before = wait end
    end
  end
  return before
end

local function countBefore(request, waits)
  local ofClass, ofOther = 0, 0
  for _, wait in ipairs(waits) do
    if wait.class ~= request.class then ofOther = ofOther + 1
    elseif wait.virtualTime < request.virtualTime then ofClass = ofClass + 1 end
  end
  -- The classes alternate.
  return ofClass + math.min(ofOther, ofClass + (state.lastClass == request.class and 1 or 0))
end

local function recordWait(request, wait)
  local field = request.class .. ' ' .. input.instance
  if not wait then return redis.call('HDEL', WAITS, field) end
  local usesReserve = wait.usesReserve and '1' or '0'
  redis.call('HSET', WAITS, field, text(wait.virtualTime) .. ' ' .. usesReserve .. ' ' .. text(now))
end
`;

const GRANT_SCRIPT = `
local isGranted, isYielding, callsAhead, virtualTimeShift = false, false, 0, 0

local function grant(request)
  isGranted = true
  countTaken(request.class, 1)
  set('virtualTime:' .. request.class, math.max(num('virtualTime:' .. request.class, 0), request.virtualTime))
end

local function reserve(request)
  local max = math.huge
  for _, window in ipairs(windows) do
    if counts(window, request.class) then
      max = math.min(max, math.floor(window.limit * request.maxFraction * math.min(1, window.ms / 30000)))
    end
  end
  local count = 0
  for _, one in pairs(reserved) do if one.class == request.class then count = count + 1 end end
  if not freeSlots(request.class) or count >= max or reserved[request.key] then return end
  reserved[request.key] = { class = request.class, id = request.id }
  redis.call('HSET', RESERVED, request.key, request.class .. ' ' .. request.id .. ' ' .. text(now + input.leaseMs))
  grant(request)
end

local function take(request)
  -- The first waiting call of an instance starts at the current virtual time of all instances.
  if request.knownVirtualTime and request.virtualTime >= 0 then
    virtualTimeShift = math.max(0, num('virtualTime:' .. request.class, 0) - request.knownVirtualTime)
    request.virtualTime = request.virtualTime + virtualTimeShift
    if request.next then request.next.virtualTime = request.next.virtualTime + virtualTimeShift end
  end
  local forFirst, forLater = freeSlots(request.class)
  local waits = otherWaits()
  if forFirst and (forLater or request.usesReserve) then
    local before = findBefore(request, forLater, waits)
    if before and state.yieldTo == before.field and now - num('yieldAt', 0) > input.yieldMs then
      -- It did not request its slot in time.
      redis.call('HDEL', WAITS, before.field)
      before = nil
    end
    if before then
      isYielding = true
      if state.yieldTo ~= before.field then set('yieldTo', before.field); set('yieldAt', now) end
    else
      grant(request)
      putCall(request.class, request.id, now + input.leaseMs)
      set('lastSent', now)
      set('lastClass', request.class)
      if state.yieldTo == request.class .. ' ' .. input.instance then set('yieldTo', nil) end
    end
  end
  if isGranted then recordWait(request, request.next) else recordWait(request, request) end
  callsAhead = countBefore(request, waits)
end
`;

const REPLY_SCRIPT = `
local results = {}
for i, one in ipairs(input.changes) do results[i] = change[one.kind](one) and '1' or '0' end
local request = input.request
if request then if request.kind == 'take' then take(request) else reserve(request) end end

local shown = {}
for _, window in ipairs(windows) do
  if not window.isForgotten then
    local ends, times = {}, {}
    local from = '(' .. text(now - window.ms)
    local flat = redis.call('ZRANGEBYSCORE', setOf(window.class), from, text(now), 'WITHSCORES', 'LIMIT', 0, 300)
    for i = 2, #flat, 2 do ends[#ends + 1] = flat[i] + window.ms - now end
    for _, lot in ipairs(held) do
      local size = lot.name == window.name and math.min(lot.size, 300) or 0
      for _ = 1, size do ends[#ends + 1] = lot.atMs - now end
    end
    table.sort(ends)
    for i, at in ipairs(ends) do times[i] = string.format('%.3f', at) end
    local calls = inFlight(window.class)
    shown[#shown + 1] = {
      name = window.name, class = window.class, limit = window.limit, windowMs = window.ms,
      inFlight = calls + countReserved(window),
      used = localUsed(window) + countHeld(window), releasesInMs = table.concat(times, ' '),
    }
  end
end

for field in pairs(isChanged) do
  if state[field] then redis.call('HSET', STATE, field, state[field]) else redis.call('HDEL', STATE, field) end
end
local ttlMs = math.ceil(longestMs + input.leaseMs + 1000)
for _, key in ipairs({ CALLS, BURST, HELD, WAITS, RESERVED }) do redis.call('PEXPIRE', key, ttlMs) end
redis.call('PEXPIRE', STATE, math.max(ttlMs, (state.monthRemaining or state.pausedUntil) and 660000 or 0))

local dump
if input.withDump then
  dump = {}
  local isBurst = {}
  for _, id in ipairs(redis.call('ZRANGE', BURST, 0, -1)) do isBurst[id] = true end
  local flat = redis.call('ZRANGE', CALLS, 0, -1, 'WITHSCORES')
  for i = 1, #flat, 2 do
    dump[#dump + 1] = { id = flat[i], at = flat[i + 1], class = isBurst[flat[i]] and 'burst' or 'general' }
  end
end

return cjson.encode({
  now = string.format('%.3f', now), generation = generation, instances = instances,
  isGranted = isGranted, isYielding = isYielding, callsAhead = callsAhead, virtualTimeShift = virtualTimeShift,
  usageAtGrant = isGranted and measureUsage() or nil, results = table.concat(results),
  pausedForMs = num('pausedUntil', 0) - now, closedForMs = closedUntil - now,
  consecutive429s = num('consecutive429s', 0),
  isSuspect = isSuspect(), burstColdForMs = burstColdUntil() - now, sinceLastSentMs = now - num('lastSent', 0),
  inFlightGeneral = inFlight('general') - inFlight('burst'), inFlightBurst = inFlight('burst'),
  virtualTimeGeneral = num('virtualTime:general', 0), virtualTimeBurst = num('virtualTime:burst', 0),
  hasResponse = state.hasResponse == '1', monthLimit = num('monthLimit'), monthRemaining = num('monthRemaining'),
  monthProbeInMs = num('monthProbeAt', 0) - now,
  movedTo = state.movedTo, pausedUntil = state.pausedUntil, dump = dump, windows = shown,
})
`;

/**
 * Script of an exchange about the slots of one key: applies the changes, handles the request for slots, and replies
 * with the state (`StoredSlots`). KEYS: see `keysOf`. ARGV, as JSON: `SlotRequestBatch`, `ScriptCaller` and the limits.
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
