/*
 * A lock is a Redis key with one of two values: `locked` and the name of the lock, while one instance has the call
 * under way, or `ended` and that name, for a short time after.
 */

/** Locks a call, unless another lock is there. An ended one whose value is the third argument does not count. */
export const LOCK_SCRIPT = `
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[3] then
  return { held }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { ARGV[1] }
`;

/** Replaces a lock by another value, for so many milliseconds. Returns whether the lock was still there. */
export const REPLACE_SCRIPT = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return { 0 }
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return { 1 }
`;
