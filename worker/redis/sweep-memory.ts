import type { Redis } from 'ioredis';
import { isDigest } from '#model/digest.ts';
import type { SweepMemory, SweepStop, SweptTag } from '#model/sweep.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

/** What is not swept for so long is looked at anew. */
const TTL_MS = 30 * 24 * 3_600_000;

export function createSweepMemory(redis: Redis, { prefix }: { readonly prefix: string }): SweepMemory {
  const { sweep } = createKeys(prefix);

  async function stopped(registry: string): Promise<SweepStop | undefined> {
    return sweepStop(await redisCall('look for stopped sweep', redis.hget(sweep.state(registry), 'stop')));
  }

  async function noteStop(registry: string, stop: SweepStop | undefined): Promise<void> {
    const key = sweep.state(registry);
    if (stop === undefined) await redisCall('forget stopped sweep', redis.hdel(key, 'stop'));
    else await redisCall('note stopped sweep', redis.hset(key, 'stop', stopText(stop)));
  }

  return {
    stopped,
    noteStop,
    async tags({ registry, repository }) {
      const fields = await redisCall('read swept tags', redis.hgetall(sweep.tags(registry, repository)));
      return new Map(Object.entries(fields).flatMap(([tag, text]) => sweptTag(tag, text)));
    },
    async note({ registry, repository }, tag, { digest, enqueuedAt }) {
      const key = sweep.tags(registry, repository);
      await redisCall('note swept tag', redis.hset(key, tag, `${digest} ${enqueuedAt.getTime()}`));
      await redisCall('keep swept tags', redis.pexpire(key, TTL_MS));
    },
    async forget({ registry, repository }, tag) {
      await redisCall('forget swept tag', redis.hdel(sweep.tags(registry, repository), tag));
    },
    async lastBegun(registry) {
      const at = Number(await redisCall('look for last sweep', redis.hget(sweep.state(registry), 'last')));
      return at > 0 ? new Date(at) : undefined;
    },
    async begin(registry, now) {
      const key = sweep.state(registry);
      await redisCall('begin sweep', redis.hsetnx(key, 'begun', `${now.getTime()}`));
      return new Date(Number(await redisCall('begin sweep', redis.hget(key, 'begun'))));
    },
    async done(registry, repository) {
      await redisCall('note swept repository', redis.sadd(sweep.done(registry), repository));
      await redisCall('keep swept repositories', redis.pexpire(sweep.done(registry), TTL_MS));
    },
    async isDone(registry, repository) {
      return (await redisCall('look for swept', redis.sismember(sweep.done(registry), repository))) === 1;
    },
    async end(registry) {
      const key = sweep.state(registry);
      const begun = await redisCall('end sweep', redis.hget(key, 'begun'));
      if (begun !== null) await redisCall('end sweep', redis.hset(key, 'last', begun));
      const stop = await stopped(registry);
      if (stop) await noteStop(registry, { ...stop, over: true });
      await redisCall('end sweep', redis.hdel(key, 'begun'));
      await redisCall('end sweep', redis.del(sweep.done(registry)));
    },
    async hold(registry, token, ms) {
      const key = sweep.holder(registry);
      if ((await redisCall('hold sweep', redis.set(key, token, 'PX', ms, 'NX'))) === 'OK') return true;
      if ((await redisCall('hold sweep', redis.get(key))) !== token) return false;
      await redisCall('hold sweep', redis.pexpire(key, ms));
      return true;
    },
    async giveBack(registry, token) {
      const key = sweep.holder(registry);
      if ((await redisCall('give sweep back', redis.get(key))) === token) {
        await redisCall('give sweep back', redis.del(key));
      }
    },
  };
}

function sweptTag(tag: string, text: string): readonly (readonly [string, SweptTag])[] {
  const [digest, at] = text.split(' ');
  return isDigest(digest) ? [[tag, { digest, enqueuedAt: new Date(Number(at)) }]] : [];
}

function stopText({ since, stops, retryAt, told, over }: SweepStop): string {
  return [since.getTime(), stops, retryAt.getTime(), told ? 1 : 0, over ? 1 : 0].join(' ');
}

/** Undefined also for what is not readable: it is noted anew at the next stop. */
function sweepStop(text: string | null): SweepStop | undefined {
  const [since = 0, stops = 0, retryAt = 0, told, over] = (text ?? '').split(' ').map(Number);
  if (!(since > 0 && stops > 0 && retryAt > 0)) return undefined;
  return { since: new Date(since), stops, retryAt: new Date(retryAt), told: told === 1, over: over === 1 };
}
