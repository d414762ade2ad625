/** Reads the clock of Redis: slots are counted by no other clock. Tests replace this line to simulate time. */
export const CLOCK_SCRIPT = `local time = redis.call('TIME'); local nowUs = time[1] * 1000000 + time[2]`;

/**
 * Beginning of an exchange and of a heartbeat: counts the instances, and checks that no data was lost. If data may be
 * incomplete, a new generation starts, and nothing is granted until every slot that may have been lost would be free.
 */
export const GENERATION_SCRIPT = `
local input = cjson.decode(ARGV[1])
local generation, closedUntil, bornAt
-- The script has waited because Redis stalled, and its sender no longer waits for the reply.
if input.sentAtMs and nowUs / 1000 - input.sentAtMs > input.staleMs then
  return cjson.encode({ now = string.format('%.3f', nowUs / 1000), isStale = true })
end
do
  local now = nowUs / 1000
  local function text(number) return string.format('%.17g', number) end
  local known = redis.call('HMGET', KEYS[1], 'id', 'run', 'closedUntil', 'bornAt')
  local run
  generation, run, closedUntil, bornAt = known[1], known[2], tonumber(known[3] or '0'), tonumber(known[4] or '0')
  local function close(untilMs)
    if untilMs <= closedUntil then return end
    closedUntil = untilMs
    redis.call('HSET', KEYS[1], 'closedUntil', text(closedUntil))
  end
  if not generation or run ~= input.runId then
    local isLoss = generation or input.generation ~= '' or input.coldStart == 'wait'
    generation, bornAt, closedUntil = string.format('%.0f', nowUs), now, 0
    redis.call('HSET', KEYS[1], 'id', generation, 'run', input.runId, 'bornAt', text(now), 'closedUntil', '0')
    if isLoss then close(now + input.closeMs)
    -- An instance that knows an earlier generation reports it with its next heartbeat.
    elseif input.coldStart ~= 'off' then close(now + input.graceMs) end
  end
  if input.generation ~= '' and input.generation ~= generation then close(bornAt + input.closeMs) end
  -- After such a jump slots become free too early.
  if input.hasJumped then close(now + input.closeMs) end
  if input.isReturning then
    -- If no instance could reach Redis, others may still be using their own part of the limits.
    local last = redis.call('ZREVRANGE', KEYS[2], 0, 1, 'WITHSCORES')
    local at = tonumber((last[1] ~= input.instance and last[2]) or last[4] or '0')
    if at > now - 600000 and at < now - input.closeMs then
      close(now + (input.isNew and input.graceMs or input.closeMs))
    end
  end
  redis.call('ZADD', KEYS[2], text(now), input.instance)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now - 600000))
end
local instances = redis.call('ZCOUNT', KEYS[2], string.format('%.17g', nowUs / 1000 - input.aliveMs), '+inf')
`;

/** Script of a heartbeat. KEYS: generation, instances. ARGV: the caller (`ScriptCaller`) as JSON. */
export const HEARTBEAT_SCRIPT = `${CLOCK_SCRIPT}
${GENERATION_SCRIPT}
return cjson.encode({ generation = generation, instances = instances, now = string.format('%.3f', nowUs / 1000) })
`;

/** Script of an instance that stops: others get its part of the limits. KEYS: as of a heartbeat. ARGV: the instance. */
export const LEAVE_SCRIPT = `return tostring(redis.call('ZREM', KEYS[2], ARGV[1]))`;
