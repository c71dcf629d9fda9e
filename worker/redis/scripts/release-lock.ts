import type { RedisScript } from '#redis/script.ts';

/** Only the own lock is released: after a lease ran out the key is another's. */
export const RELEASE_LOCK: RedisScript = {
  name: 'attestryReleaseLock',
  keys: 1,
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`,
};
