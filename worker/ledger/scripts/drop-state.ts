import type { RedisScript } from '#redis/script.ts';

/**
 * Forgets the state of one policy, or of all when none is named, under the revision that it was read at. Sequences and
 * history stay for a while: an image that comes back goes on counting, so that no event's id is used twice.
 */
export const DROP_STATE: RedisScript = {
  name: 'attestryDropState',
  keys: 5,
  lua: `
local head, states, sequences, alerts, history = unpack(KEYS)
local revision, policy, keep = ARGV[1], ARGV[2], ARGV[3]
if (redis.call('HGET', head, 'revision') or '0') ~= revision then return 0 end
if policy == '' then
  redis.call('DEL', states, alerts)
else
  redis.call('HDEL', states, policy)
  redis.call('HDEL', alerts, policy)
end
local next = redis.call('HINCRBY', head, 'revision', 1)
if redis.call('EXISTS', states) == 0 then
  redis.call('PEXPIRE', head, keep)
  redis.call('PEXPIRE', sequences, keep)
  redis.call('PEXPIRE', history, keep)
end
return next
`,
};
