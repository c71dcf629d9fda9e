import * as z from 'zod/mini';
import { sha256Hex } from '#model/digest.ts';
import type { ImageRef } from '#model/image-ref.ts';
import { Announcement, announcementOf, deduplicationId, type ImageJob } from '#model/job.ts';
import type { ImageLane } from '#queue/payload.ts';
import type { RedisConnection } from '#redis/connection.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

/**
 * What a job was announced by. The queue keeps one payload a job, the first or the last; which of several pushes of one
 * digest a rule allows to be signed is only known when the job runs.
 */
export interface Announcements {
  /** Notes the announcement of a job. Called before the job is added: a job that starts at once must find it. */
  note(lane: ImageLane, job: ImageJob): Promise<void>;
  /** All of the job that were noted and not yet settled. */
  list(lane: ImageLane, job: ImageJob): Promise<readonly Announcement[]>;
  /** Forgets those that a run has dealt with; what came meanwhile stays for the next one. */
  settle(lane: ImageLane, job: ImageJob, told: readonly Announcement[]): Promise<void>;
}

/** Longer than any job waits, is put off and is tried again. */
const KEEP_MS = 7 * 24 * 3_600_000;
/** Announcements that one run looks at; a digest has a few tags. */
const MOST = 1000;

export function createAnnouncements({ client }: RedisConnection, prefix: string): Announcements {
  const keys = createKeys(prefix);
  const keyOf = (lane: ImageLane, job: ImageJob) => keys.announcements(lane, waitingId(job));
  return {
    async note(lane, job) {
      const key = keyOf(lane, job);
      const announcement = announcementOf(job);
      const text = JSON.stringify(announcement);
      const noted = client.multi().hset(key, fieldOf(announcement), text).pexpire(key, KEEP_MS).exec();
      await redisCall('note announcement', noted);
    },
    async list(lane, job) {
      const texts = await redisCall('list announcements', client.hvals(keyOf(lane, job)));
      return texts.slice(0, MOST).flatMap(parse);
    },
    async settle(lane, job, told) {
      if (told.length === 0) return;
      await redisCall('settle announcements', client.hdel(keyOf(lane, job), ...told.map(fieldOf)));
    },
  };
}

/** What waiting jobs are told apart by. A forced job asks for more than a waiting ordinary one would do. */
export function waitingId({ kind, image, force }: ImageJob): string {
  return deduplicationId(kind, image as ImageRef) + (force ? '-force' : '');
}

/** By content: the same announcement again is the same one. */
function fieldOf({ source, actor, tag, unproven }: Announcement): string {
  return sha256Hex(JSON.stringify([source, actor ?? null, tag ?? null, unproven ?? false])).slice(0, 32);
}

function parse(text: string): readonly Announcement[] {
  try {
    const parsed = z.safeParse(Announcement, JSON.parse(text));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}
