import type { RedisScript } from '#redis/script.ts';

/** Looking and renewing is one step: a lease that ran out in between would renew the lock of another. */
export const RENEW_LOCK: RedisScript = {
  name: 'attestryRenewLock',
  keys: 1,
  lua: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`,
};
