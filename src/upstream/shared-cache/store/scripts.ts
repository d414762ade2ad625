// A full Redis refuses a script whose first write needs memory, and completes any other. So only the storing of responses
// begins with such a write.

// A row begins with: time of sending, time of confirmation, whether it is outdated, size of the sealed body.
const COMMON = `
local function toRow(text)
  if not text then return nil end
  local sent, confirmed, outdated, bytes = string.match(text, '^(%d+) (%d+) ([01]) (%d+) ')
  if not sent then return nil end
  return { sent = tonumber(sent), confirmed = tonumber(confirmed), outdated = outdated, bytes = tonumber(bytes) }
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Stores a response, unless one to a later call is stored or the API key was refused after the call was sent. Then
 * removes the rows that changed longest ago until all fit.
 *
 * Keys: index, order, drop mark, body. Arguments: field, row, body, lifetimes of body and index in ms, most rows,
 * most bytes.
 * Returns Redis' time, 1 if it was stored, and the fields of the removed rows, whose bodies the caller deletes.
 */
export const WRITE_SCRIPT = `${COMMON}
local row = toRow(ARGV[2])
if tonumber(redis.call('GET', KEYS[3]) or '0') >= row.sent then return { now, 0 } end
local old = toRow(redis.call('HGET', KEYS[1], ARGV[1]))
if old and old.sent > row.sent then return { now, 0 } end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('SET', KEYS[4], ARGV[3], 'PX', ARGV[4])
local bytes = redis.call('HINCRBY', KEYS[1], 'bytes', row.bytes - (old and old.bytes or 0))
local reply = { now, 1 }
while bytes > tonumber(ARGV[7]) or redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[6]) do
  local field = redis.call('ZPOPMIN', KEYS[2])[1]
  if not field then break end
  local removed = toRow(redis.call('HGET', KEYS[1], field))
  redis.call('HDEL', KEYS[1], field)
  if removed then bytes = redis.call('HINCRBY', KEYS[1], 'bytes', -removed.bytes) end
  reply[#reply + 1] = field
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return reply
`;

/**
 * Replaces rows by later states of the same responses: confirmed or outdated by a list. Nothing that is outdated
 * becomes current again.
 *
 * Keys: index, order, a body for each row. Arguments: lifetime in ms, then field and row of each.
 * Returns Redis' time.
 */
export const RENEW_SCRIPT = `${COMMON}
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
for position = 2, #ARGV, 2 do
  local field, row = ARGV[position], toRow(ARGV[position + 1])
  local old = toRow(redis.call('HGET', KEYS[1], field))
  if old and old.sent == row.sent and old.outdated == '0' and (row.outdated == '1' or row.confirmed > old.confirmed) then
    redis.call('HSET', KEYS[1], field, ARGV[position + 1])
    redis.call('ZADD', KEYS[2], now, field)
    redis.call('PEXPIRE', KEYS[2 + position / 2], ARGV[1])
  end
end
return { now }
`;

/**
 * Reads rows and bodies of an API key.
 *
 * Keys: index, drop mark, a body for each field. Arguments: the fields.
 * Returns Redis' time, the drop mark, and a row and a body for each field.
 */
export const READ_SCRIPT = `${COMMON}
local reply = { now, redis.call('GET', KEYS[2]) or '0' }
for position, field in ipairs(ARGV) do
  reply[#reply + 1] = redis.call('HGET', KEYS[1], field)
  reply[#reply + 1] = redis.call('GET', KEYS[2 + position])
end
return reply
`;

/**
 * Reads the rows of an API key that have changed.
 *
 * Keys: index, drop mark, order. Arguments: Redis' time of the last reply, 0 for all rows.
 * Returns Redis' time, the drop mark, and the fields and rows in turn.
 */
export const CHANGES_SCRIPT = `${COMMON}
local reply = { now, redis.call('GET', KEYS[2]) or '0' }
if ARGV[1] == '0' then
  for _, part in ipairs(redis.call('HGETALL', KEYS[1])) do reply[#reply + 1] = part end
else
  for _, field in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], ARGV[1], '+inf')) do
    reply[#reply + 1] = field
    reply[#reply + 1] = redis.call('HGET', KEYS[1], field)
  end
end
return reply
`;

/**
 * Drops everything of an API key, if there is anything.
 *
 * Keys: index, order, drop mark. Arguments: how long the mark stays in ms, 1 to set it in any case.
 * Returns Redis' time, 1 if the mark was set, and the fields of the rows, whose bodies the caller deletes.
 */
export const DROP_SCRIPT = `${COMMON}
local fields = redis.call('HKEYS', KEYS[1])
if #fields == 0 and ARGV[2] == '0' then return { now, 0 } end
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('SET', KEYS[3], now, 'PX', ARGV[1])
local reply = { now, 1 }
for _, field in ipairs(fields) do reply[#reply + 1] = field end
return reply
`;

/**
 * Adds API keys to the log of those that were refused, and removes the oldest ones.
 *
 * Keys: log. Arguments: how long a name stays in ms, most names, the names. Returns Redis' time.
 */
export const LOG_SCRIPT = `${COMMON}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]))
for position = 3, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[position]) end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return { now }
`;

/**
 * Reads the log.
 *
 * Keys: log. Arguments: Redis' time of the last reply. Returns Redis' time, and names and times in turn.
 */
export const READ_LOG_SCRIPT = `${COMMON}
local reply = { now }
for _, part in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf', 'WITHSCORES')) do
  reply[#reply + 1] = part
end
return reply
`;
