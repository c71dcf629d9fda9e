import type { Queue } from 'bullmq';
import { sha256Hex } from '#model/digest.ts';
import type { ImageJob } from '#model/job.ts';
import type { ImageLane } from '#queue/payload.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createKeys } from '#redis/keys.ts';
import { runScript } from '#redis/script.ts';
import { NEXT_TURN } from '#redis/scripts/next-turn.ts';

/** Highest priority number that the queue takes; jobs beyond it are served in the order in which they came. */
const LAST_PLACE = 2 ** 21 - 1;

/**
 * Whose turn it is within a lane: sources of pushes take turns, and so do the registries of all other work. A source
 * with ten thousand jobs waiting delays the job of another one by those that run, not by those that wait.
 */
export async function nextTurn(
  { client }: RedisConnection,
  prefix: string,
  queue: Queue,
  lane: ImageLane,
  job: ImageJob,
): Promise<number> {
  const party = lane === 'push' ? job.source : job.image.registry;
  const keys = [queue.toKey('prioritized'), createKeys(prefix).turns(lane)];
  return Number(await runScript(client, NEXT_TURN, keys, [sha256Hex(party).slice(0, 16), LAST_PLACE]));
}
