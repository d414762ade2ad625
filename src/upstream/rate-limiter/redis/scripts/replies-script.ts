/**
 * Second part of the exchange script: what Postman's responses say about limits, the monthly quota and pauses. It does
 * the same as `RateWindows.learn`, `RateWindows.refused`, `ProbeGate` and `MonthlyQuota`, for calls of all instances.
 */
export const RESPONSES_SCRIPT = `
local MAX_LIMIT, MAX_LEARNED_WINDOWS, SILENT_WINDOWS = 100000, 4, 2
local MIN_PAUSE_MS, MAX_BACKOFF_MS, QUOTA_PROBE_MS = 1000, 32000, 600000

local function findWindow(class, one)
  if burst and (not one.windowMs or (burst.ms == general.ms and one.windowMs == general.ms)) then
    -- The announced length does not say which window it is: only the limit can.
    return class == 'burst' and one.limit and one.limit <= input.burst.limit and burst or general
  end
  if not one.windowMs then return general end
  for _, window in ipairs(windows) do if window.ms == one.windowMs then return window end end
end

local function learnWindow(class, one)
  if #windows - (burst and 2 or 1) >= MAX_LEARNED_WINDOWS then return nil end
  local window = addWindow(text(one.windowMs), class, one.windowMs, one.limit)
  longestMs = math.max(longestMs, window.ms)
  return window
end

local function setLimit(window, limit)
  window.limit = math.max(1, limit)
  if window == general or window == burst then set('limit:' .. window.name, window.limit)
  else set('learned:' .. window.name, window.class .. ' ' .. text(window.limit)) end
end

-- A limit that is no longer announced was a mistake, or has been lifted.
local function forgetUnannounced(class, limited)
  for _, window in ipairs(windows) do
    local announced = state['announced:' .. window.name]
    if announced and not limited[window.name] then
      local ofClass, silentSince = string.match(announced, '^(%a+) (%S+)$')
      local isSilent = next(limited) == nil or ofClass == class
      if isSilent and counts(window, class) then
        silentSince = tonumber(silentSince)
        if silentSince == 0 then silentSince = now end
        if now < silentSince + SILENT_WINDOWS * window.ms then
          set('announced:' .. window.name, ofClass .. ' ' .. text(silentSince))
        else
          set('announced:' .. window.name, nil)
          if window == general or window == burst then setLimit(window, window.initial)
          else set('learned:' .. window.name, nil); window.isForgotten = true end
        end
      end
    end
  end
end

local function learn(class, usage, announced)
  local limited, reportsBurst = {}, false
  for _, one in ipairs(announced) do
    local window = findWindow(class, one)
    if not window and one.limit and one.windowMs then window = learnWindow(class, one) end
    if window then
      reportsBurst = reportsBurst or (window == burst and one.remaining ~= nil)
      if one.limit then
        -- Of two limits over the same length of time the lower one applies.
        setLimit(window, math.min(one.limit, limited[window.name] and window.limit or window.cap or MAX_LIMIT))
        limited[window.name] = true
        set('announced:' .. window.name, class .. ' 0')
      end
      local known = usage and usage[window.name]
      if known and one.remaining then
        local localThen, inFlightThen, takenThen, heldThen = unpack(known)
        local takenSince = num('taken:' .. window.class, 0) - takenThen
        -- Usage that the calls of all instances cannot explain belongs to another client.
        local others = window.limit - one.remaining - (localThen + takenSince) - countHeld(window)
        if others > 0 then
          hold(window, others, now + math.min(one.resetInMs or window.ms, window.ms), now + window.ms)
        else
          local heldSince = num('held:' .. window.name, 0) - heldThen
          local notCounted = inFlightThen - (counts(window, class) and 1 or 0) + takenSince + heldSince
          releaseHeld(window, one.remaining - notCounted - free(window), heldThen)
        end
      end
    end
  end
  forgetUnannounced(class, limited)
  return reportsBurst
end

local function pause(untilMs)
  -- Another 429 after a pause: another client uses the slots that become free.
  if now >= num('pausedUntil', 0) then add('consecutive429s', 1) end
  local leastMs = math.min(MAX_BACKOFF_MS, MIN_PAUSE_MS * 2 ^ (num('consecutive429s', 1) - 1))
  set('pausedUntil', math.max(num('pausedUntil', 0), untilMs, now + leastMs))
  set('suspect', '1')
  set('trustedFrom', math.max(num('trustedFrom', 0), num('pausedUntil', 0)))
end

local function onRateLimited(class, announced)
  local untilMs = num('pausedUntil', now)
  local isReported = false
  for _, one in ipairs(announced) do isReported = isReported or one.remaining == 0 end
  local window = burst and class == 'burst' and untilMs <= now + burst.ms and burst or general
  if not isReported and free(window) > 0 then hold(window, free(window), untilMs, now + window.ms) end
  for _, known in ipairs(windows) do bringForward(known, untilMs) end
end

local function exhaustMonthlyQuota()
  set('monthRemaining', 0)
  set('monthProbeAt', now + QUOTA_PROBE_MS)
end

local function readMonthlyQuota(limit, remaining, sentAtMs)
  if limit or remaining then set('monthSilentSince', nil)
  elseif not state.monthSilentSince then set('monthSilentSince', now) end
  if state.monthSilentSince and now >= num('monthSilentSince') + QUOTA_PROBE_MS then
    set('monthLimit', nil)
    if num('monthRemaining') ~= 0 then set('monthRemaining', nil) end
  end
  if limit then set('monthLimit', limit) end
  if num('monthRemaining') == 0 and sentAtMs < num('monthProbeAt', 0) then return end
  if remaining == 0 then exhaustMonthlyQuota()
  elseif remaining then set('monthRemaining', remaining)
  elseif num('monthRemaining') == 0 then set('monthRemaining', nil) end
end

local function learnFromResponse(settled)
  local usage = settled.usageAtGrant
  local sentAtMs = usage and tonumber(usage.at) or now
  set('hasResponse', '1')
  readMonthlyQuota(settled.monthLimit, settled.monthRemaining, sentAtMs)
  local reportsBurst = learn(settled.class, usage, settled.windows)
  if sentAtMs >= num('trustedFrom', 0) then set('suspect', '0') end
  if reportsBurst then set('burstSuspect', '0') end
  if not settled.isRateLimited then set('consecutive429s', nil) end
end
`;

/** Third part of the exchange script: applies the changes that an instance reports, one function per kind. */
export const CHANGES_SCRIPT = `
local function countTaken(class, count)
  add('taken:general', count)
  if class == 'burst' then add('taken:burst', count) end
end

local function putCall(class, id, atMs)
  redis.call('ZADD', CALLS, text(atMs), id)
  if class == 'burst' then redis.call('ZADD', BURST, text(atMs), id) end
end

local change = {}

function change.settle(one)
  if one.windows then learnFromResponse(one) end
  if one.isRateLimited then onRateLimited(one.class, one.windows or {}) end
  -- agoMs is not 0 if the instance could not reach the store when the call settled.
  putCall(one.class, one.id, now - one.agoMs)
end

function change.renew(one) putCall(one.class, one.id, now + input.leaseMs) end

function change.giveBack(one)
  if not one.key then
    if redis.call('ZREM', CALLS, one.id) > 0 then countTaken(one.class, -1) end
    redis.call('ZREM', BURST, one.id)
    return false
  end
  if not reserved[one.key] or reserved[one.key].id ~= one.id then return true end
  reserved[one.key] = nil
  redis.call('HDEL', RESERVED, one.key)
  countTaken(one.class, -1)
  return false
end

function change.redeem(one)
  local known = reserved[one.key]
  if not known or known.class ~= one.class then return false end
  known.id = one.id
  redis.call('HSET', RESERVED, one.key, known.class .. ' ' .. known.id .. ' ' .. text(now + input.leaseMs))
  return true
end

function change.pause(one) pause(now - one.agoMs + one.forMs) end
function change.exhaustMonthlyQuota() exhaustMonthlyQuota() end

-- Slots in use under another name of the same user.
function change.import(one)
  for _, slot in ipairs(one.slots) do putCall(slot.class, slot.id, tonumber(slot.at)) end
  if one.pausedUntil then set('pausedUntil', math.max(num('pausedUntil', 0), tonumber(one.pausedUntil))) end
end

-- From now on the slots of this name are counted under the name of its user.
function change.move(one) if not state.movedTo then set('movedTo', one.to) end end

function change.leave() redis.call('HDEL', WAITS, 'general ' .. input.instance, 'burst ' .. input.instance) end
`;
