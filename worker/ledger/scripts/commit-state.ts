import type { RedisScript } from '#redis/script.ts';

/**
 * State, history, alert and outbox entry of one observation, all or nothing: a change that is recorded is told, and a
 * change that is told is recorded, whatever crashes in between. The revision is what the state was read at; when
 * another wrote meanwhile nothing is done and 0 is answered, so that the rules of state stay out of Lua. The age of the
 * keys is taken back, for the image is known again.
 */
export const COMMIT_STATE: RedisScript = {
  name: 'attestryCommitState',
  keys: 7,
  lua: `
local head, states, sequences, alerts, history, outbox, entries = unpack(KEYS)
local revision, policy, state, sequence, tag = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local alertChange, alert, entryId, entry, historyLimit = ARGV[6], ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10])
if (redis.call('HGET', head, 'revision') or '0') ~= revision then return 0 end
local next = redis.call('HINCRBY', head, 'revision', 1)
if tag ~= '' then redis.call('HSET', head, 'tag', tag) end
redis.call('HSET', states, policy, state)
redis.call('HSET', sequences, policy, sequence)
if alertChange == 'open' then redis.call('HSET', alerts, policy, alert) end
if alertChange == 'close' then redis.call('HDEL', alerts, policy) end
if entryId ~= '' then
  redis.call('LPUSH', history, entry)
  redis.call('LTRIM', history, 0, historyLimit - 1)
  redis.call('ZADD', outbox, 'NX', redis.call('HINCRBY', head, 'entries', 1), entryId)
  redis.call('HSET', entries, entryId, entry)
end
redis.call('PERSIST', head)
redis.call('PERSIST', sequences)
redis.call('PERSIST', history)
return next
`,
};
