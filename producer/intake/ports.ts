import type { ImageJob } from '#model/job.ts';
import type { OwnPushes } from '#model/ports.ts';

/** Puts jobs into Redis. When it resolves, the job is there: only then is a push acknowledged. */
export interface EnqueueImage {
  /**
   * @throws AppError `redis-unavailable` when Redis did not confirm in time or is nearly full, `job-malformed` when no
   * worker could ever read the job.
   */
  enqueueImage(
    lane: 'push',
    job: ImageJob,
    options?: { readonly delayMs?: number },
  ): Promise<{ readonly id: string; readonly state: 'queued' | 'duplicate' }>;
}

/** Remembers for days which events were accepted. Written with or after the enqueue, never before. */
export interface DeliveryIds {
  seen(source: string, id: string): Promise<boolean>;
  remember(source: string, id: string): Promise<void>;
}

/** Counts jobs of a repository (`registry/path`) in the last hour, this one included. */
export interface RateGuard {
  count(repository: string): Promise<number>;
}

/** What the intake needs of Redis. Each may throw AppError `redis-unavailable`. */
export interface IntakePorts {
  readonly queue: EnqueueImage;
  readonly ownPushes: Pick<OwnPushes, 'has'>;
  readonly deliveries: DeliveryIds;
  readonly rate: RateGuard;
}
