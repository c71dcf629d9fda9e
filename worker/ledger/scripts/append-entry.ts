import type { RedisScript } from '#redis/script.ts';

/** Order and content of an outbox entry together; the same id a second time changes nothing. */
export const APPEND_ENTRY: RedisScript = {
  name: 'attestryAppendEntry',
  keys: 3,
  lua: `
local head, outbox, entries = unpack(KEYS)
if redis.call('ZSCORE', outbox, ARGV[1]) then return 0 end
redis.call('ZADD', outbox, redis.call('HINCRBY', head, 'entries', 1), ARGV[1])
redis.call('HSET', entries, ARGV[1], ARGV[2])
return 1
`,
};
