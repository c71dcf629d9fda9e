import type { Redis } from 'ioredis';
import * as z from 'zod/mini';
import { sha256Hex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { HandedIn, type HandedInStore } from '#model/handed-in.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { runScript } from '#redis/script.ts';
import { KEEP_HANDED_IN } from '#redis/scripts/keep-handed-in.ts';

export interface HandedInOptions {
  readonly prefix: string;
  /** Statements that wait for one image at once. */
  readonly most?: number;
  /** Milliseconds after which nobody comes for it any more. */
  readonly ttlMs?: number;
}

const MOST = 20;
const TTL_MS = 30 * 24 * 3_600_000;

/** Statements that were handed in, in Redis until they are signed or refused. */
export function createHandedIn(redis: Redis, options: HandedInOptions): HandedInStore {
  const keys = createKeys(options.prefix);
  const most = options.most ?? MOST;
  const ttlMs = options.ttlMs ?? TTL_MS;
  return {
    async put(image, handedIn) {
      const id = idOf(handedIn);
      const kept = await runScript(
        redis,
        KEEP_HANDED_IN,
        [keys.handedIn(image)],
        [id, JSON.stringify(handedIn), most, ttlMs],
      );
      if (kept === 1) return id;
      throw new AppError('handed-in-full', `${most} statements already wait to be signed for ${image}`, {
        mend: 'send it again when they are signed; a worker must run',
        retryAfterMs: 10_000,
      });
    },
    list: (image) => redisCall('list handed in', redis.hkeys(keys.handedIn(image))),
    async get(image, id) {
      const text = await redisCall('read handed in', redis.hget(keys.handedIn(image), id));
      return text === null ? undefined : parse(text);
    },
    async drop(image, id) {
      await redisCall('drop handed in', redis.hdel(keys.handedIn(image), id));
    },
  };
}

/** By content and by who asks: the same request again is the same one, another one's is not. */
function idOf({ predicateType, statement, signer, source, actor, image }: HandedIn): string {
  return sha256Hex(
    JSON.stringify([predicateType, statement, signer ?? null, source, actor ?? null, image.tag ?? null]),
  );
}

function parse(text: string): HandedIn | undefined {
  try {
    const parsed = z.safeParse(HandedIn, JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
