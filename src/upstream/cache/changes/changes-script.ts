/** Redis key of the log. Its hash tag is that of all keys of slots. */
export const CHANGES_KEY = '{postman-graphql}:changes';

/** Input of the script, as JSON. */
export interface ChangesInput {
  /** Id of the last record that the instance knows; empty: none. */
  readonly after: string;
  /** Records to append. */
  readonly records: readonly string[];
  /** How long records matter; the log is dropped when nothing was appended for so long. */
  readonly relevantMs: number;
  readonly maxRecords: number;
  /** How many records to return at most. */
  readonly count: number;
}

/**
 * Appends records to a stream and returns the following ones. The reply is text: in the first line Redis' time in
 * milliseconds, and 1 if the stream existed before, else 0; then a line for each record, with its id.
 */
export const CHANGES_SCRIPT = `
local input = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local existed = redis.call('EXISTS', KEYS[1])
for _, record in ipairs(input.records) do
  redis.call('XADD', KEYS[1], 'MAXLEN', input.maxRecords, '*', 'r', record)
end
if #input.records > 0 then
  redis.call('PEXPIRE', KEYS[1], input.relevantMs)
end
local from = string.format('%.0f', math.max(0, now - input.relevantMs))
if existed == 1 and input.after ~= '' then
  from = '(' .. input.after
end
local lines = { string.format('%.0f %d', now, existed) }
for _, found in ipairs(redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', input.count)) do
  lines[#lines + 1] = found[1] .. ' ' .. found[2][2]
end
return table.concat(lines, '\\n')
`;
