import type { RedisScript } from '#redis/script.ts';

/** Forgets the failures of a registry that answered. Answers since when its breaker was open, 0 when it was not. */
export const CALL_ANSWERED: RedisScript = {
  name: 'attestryCallAnswered',
  keys: 1,
  lua: `
local since = tonumber(redis.call('HGET', KEYS[1], 'since') or '0')
redis.call('DEL', KEYS[1])
return since
`,
};
