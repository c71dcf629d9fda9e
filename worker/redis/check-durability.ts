import { AppError } from '#model/errors.ts';
import { atLeast, type ServerReport } from '#redis/check-server.ts';
import type { Durability } from '#redis/durable-writes.ts';

/** The first that knows `WAITAOF`. */
const WITH_WAITAOF: readonly [number, number] = [7, 2];

/**
 * Refuses a server that can never store as is wanted: every push would be answered with a request to send it again.
 * @throws AppError `redis-unsuitable` naming the setting and its mend.
 */
export function checkDurability(durability: Durability, report: ServerReport, address: string): void {
  if (!durability.fsync) return;
  const { flavour, version, appendOnly } = report;
  // Every Valkey began after it.
  if (flavour === 'redis' && !atLeast(version, WITH_WAITAOF)) {
    throw new AppError(
      'redis-unsuitable',
      `Redis ${address} is version ${version}, and redis.durability.fsync needs WAITAOF of 7.2`,
      {
        field: 'redis.durability.fsync',
        mend: 'run Redis 7.2 or later or Valkey, or leave fsync out and set appendfsync always in redis.conf',
      },
    );
  }
  if (appendOnly) return;
  throw new AppError('redis-unsuitable', `Redis ${address} keeps no append-only file, and fsync is wanted`, {
    field: 'redis.durability.fsync',
    mend: 'set appendonly yes in redis.conf, or leave redis.durability.fsync out',
  });
}
