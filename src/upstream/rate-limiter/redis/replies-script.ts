/**
 * The second part of the script: what answers teach of limits, of the month, and of pauses. It follows `RateWindows.learn` and `RateWindows.refused`,
 * `ProbeGate` and `MonthlyQuota`, over the calls of all instances.
 */
export const RESPONSES_SCRIPT = `
local MAX_LIMIT, MAX_LEARNED_WINDOWS, SILENT_WINDOWS = 100000, 4, 2
local MIN_PAUSE_MS, MAX_BACKOFF_MS, MONTH_MS = 1000, 32000, 600000

local function findWindow(class, told)
  if burst and (not told.windowMs or (burst.ms == general.ms and told.windowMs == general.ms)) then
    -- Nothing but its size tells them apart.
    return class == 'burst' and told.limit and told.limit <= input.burst.limit and burst or general
  end
  if not told.windowMs then return general end
  for _, window in ipairs(windows) do if window.ms == told.windowMs then return window end end
end

local function learnWindow(class, told)
  if #windows - (burst and 2 or 1) >= MAX_LEARNED_WINDOWS then return nil end
  local window = addWindow(text(told.windowMs), class, told.windowMs, told.limit)
  longestMs = math.max(longestMs, window.ms)
  return window
end

local function setLimit(window, limit)
  window.limit = math.max(1, limit)
  if window == general or window == burst then set('limit:' .. window.name, window.limit)
  else set('learned:' .. window.name, window.class .. ' ' .. text(window.limit)) end
end

-- A limit that is not announced any more was a mistake, or is over.
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

local function learn(class, marked, announced)
  local limited, toldOfBurst = {}, false
  for _, told in ipairs(announced) do
    local window = findWindow(class, told)
    if not window and told.limit and told.windowMs then window = learnWindow(class, told) end
    if window then
      toldOfBurst = toldOfBurst or (window == burst and told.remaining ~= nil)
      if told.limit then
        -- Of two limits over the same length of time the lower holds.
        setLimit(window, math.min(told.limit, limited[window.name] and window.limit or window.cap or MAX_LIMIT))
        limited[window.name] = true
        set('announced:' .. window.name, class .. ' 0')
      end
      local known = marked and marked[window.name]
      if known and told.remaining then
        local ownThen, outThen, takenThen, heldThen = unpack(known)
        local takenSince = num('taken:' .. window.class, 0) - takenThen
        -- What none of the calls of all instances can explain is certain to be another's.
        local others = window.limit - told.remaining - (ownThen + takenSince) - countHeld(window)
        if others > 0 then
          hold(window, others, now + math.min(told.resetInMs or window.ms, window.ms), now + window.ms)
        else
          local notCounted = outThen - (counts(window, class) and 1 or 0) + takenSince + num('held:' .. window.name, 0) - heldThen
          letGo(window, told.remaining - notCounted - free(window), heldThen)
        end
      end
    end
  end
  forgetUnannounced(class, limited)
  return toldOfBurst
end

local function pause(untilMs)
  -- Refused again after a pause: somebody else takes what comes back.
  if now >= num('pausedUntil', 0) then add('refusals', 1) end
  local leastMs = math.min(MAX_BACKOFF_MS, MIN_PAUSE_MS * 2 ^ (num('refusals', 1) - 1))
  set('pausedUntil', math.max(num('pausedUntil', 0), untilMs, now + leastMs))
  set('doubt', '1')
  set('provedBy', math.max(num('provedBy', 0), num('pausedUntil', 0)))
end

local function refused(class, announced)
  local untilMs = num('pausedUntil', now)
  local isTold = false
  for _, told in ipairs(announced) do isTold = isTold or told.remaining == 0 end
  local window = burst and class == 'burst' and untilMs <= now + burst.ms and burst or general
  if not isTold and free(window) > 0 then hold(window, free(window), untilMs, now + window.ms) end
  for _, known in ipairs(windows) do bringForward(known, untilMs) end
end

local function spendMonth()
  set('monthRemaining', 0)
  set('monthProbeAt', now + MONTH_MS)
end

local function readMonth(limit, remaining, sentAtMs)
  if limit or remaining then set('monthSilentSince', nil)
  elseif not state.monthSilentSince then set('monthSilentSince', now) end
  if state.monthSilentSince and now >= num('monthSilentSince') + MONTH_MS then
    set('monthLimit', nil)
    if num('monthRemaining') ~= 0 then set('monthRemaining', nil) end
  end
  if limit then set('monthLimit', limit) end
  if num('monthRemaining') == 0 and sentAtMs < num('monthProbeAt', 0) then return end
  if remaining == 0 then spendMonth()
  elseif remaining then set('monthRemaining', remaining)
  elseif num('monthRemaining') == 0 then set('monthRemaining', nil) end
end

local function learnFromAnswer(change)
  local marked = change.mark
  local sentAtMs = marked and tonumber(marked.at) or now
  set('hasAnswer', '1')
  readMonth(change.monthLimit, change.monthRemaining, sentAtMs)
  local toldOfBurst = learn(change.class, marked, change.windows)
  if sentAtMs >= num('provedBy', 0) then set('doubt', '0') end
  if toldOfBurst then set('burstDoubt', '0') end
  if not change.isRefused then set('refusals', nil) end
end
`;

/** The third part of the script: what has happened at an instance, by kind of change. */
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
  if one.windows then learnFromAnswer(one) end
  if one.isRefused then refused(one.class, one.windows or {}) end
  -- An instance that could not reach this store has counted the time itself.
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

function change.claim(one)
  local known = reserved[one.key]
  if not known or known.class ~= one.class then return false end
  known.id = one.id
  redis.call('HSET', RESERVED, one.key, known.class .. ' ' .. known.id .. ' ' .. text(now + input.leaseMs))
  return true
end

function change.pause(one) pause(now - one.agoMs + one.forMs) end
function change.month() spendMonth() end

-- What was in use under another name of the same user.
function change.import(one)
  for _, slot in ipairs(one.slots) do putCall(slot.class, slot.id, tonumber(slot.at)) end
  if one.pausedUntil then set('pausedUntil', math.max(num('pausedUntil', 0), tonumber(one.pausedUntil))) end
end

-- This name is one of a user's, whose slots are counted under another one from now on.
function change.move(one) if not state.movedTo then set('movedTo', one.to) end end

function change.leave() redis.call('HDEL', HEADS, 'general ' .. input.instance, 'burst ' .. input.instance) end
`;
