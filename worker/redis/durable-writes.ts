import type { Redis } from 'ioredis';
import { AppError } from '#model/errors.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

/** What must have happened to a write before it counts as stored. */
export interface Durability {
  /** Replicas that must have it besides the server; with `fsync` on their disks too. */
  readonly replicas: number;
  /** On the disk of the server (`WAITAOF`), not only in its memory. */
  readonly fsync: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface DurableWrites {
  /**
   * Resolves when everything that was answered on the writing connection before is stored as wanted.
   * @throws AppError `redis-unavailable` when it is not in time: nothing is known to be lost, and nothing to be safe.
   */
  confirm(): Promise<void>;
}

export interface DurableWritesOptions {
  readonly prefix: string;
  readonly durability: Durability;
  /** The connection on which jobs are written. */
  readonly writer: Redis;
  /** One that nothing else uses: a wait blocks the connection that it is sent on. */
  readonly waiter: Redis;
  /** Names this process among others. */
  readonly id: string;
}

const MARK_TTL_MS = 3_600_000;

/**
 * Waits for replicas and disk on a connection beside the one that writes. A mark written on the first and read on the
 * second proves that both talk to a server that has the writes, also when one of them was just moved to another server
 * by a failover. Whoever comes while a wait runs shares the next one, so that a slow disk costs each sender two waits at
 * most and not a queue of them.
 */
export function createDurableWrites(options: DurableWritesOptions): DurableWrites {
  const { writer, waiter, durability } = options;
  const key = createKeys(options.prefix).durability(options.id);
  let sequence = 0;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  async function wait(): Promise<void> {
    const mark = `${++sequence}`;
    await redisCall('mark writes', writer.set(key, mark, 'PX', MARK_TTL_MS));
    if ((await redisCall('read mark of writes', waiter.get(key))) !== mark)
      throw unmet('Redis was changed for another');
    // A wait is for the writes of its own connection, and for all that came before them.
    await redisCall('renew mark of writes', waiter.pexpire(key, MARK_TTL_MS));
    const { replicas, fsync, timeout } = durability;
    const command: readonly [string, ...number[]] = fsync
      ? ['WAITAOF', 1, replicas, timeout]
      : ['WAIT', replicas, timeout];
    const [name, ...args] = command;
    const answer = await redisCall(name, waiter.call(name, ...args));
    const counts = Array.isArray(answer) ? answer.map(Number) : [Number(answer)];
    const [local = 0, copies = 0] = fsync ? counts : [0, ...counts];
    if (fsync && local < 1) throw unmet(`not on the disk of Redis within ${timeout} ms`);
    if (copies < replicas) throw unmet(`on ${copies} of ${replicas} replicas within ${timeout} ms`);
  }

  function start(): Promise<void> {
    running = wait().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    confirm() {
      if (running === undefined) return start();
      // The wait that runs may have begun before the caller's writes.
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = undefined;
          return start();
        });
      return next;
    },
  };
}

function unmet(why: string): AppError {
  return new AppError('redis-unavailable', `not safely stored: ${why}`, {
    field: 'redis.durability',
    mend: 'look after the replicas and the disk of Redis',
  });
}
