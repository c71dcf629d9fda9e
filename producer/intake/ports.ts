import type { EvidenceLocation } from '#model/evidence.ts';
import type { ImageJob } from '#model/job.ts';
import type { EvidencePush, OwnPushes } from '#model/ports.ts';

/** Puts jobs into Redis. When it resolves, the job is there: only then is a push acknowledged. */
export interface EnqueueImage {
  /**
   * @throws AppError `redis-unavailable` when Redis did not confirm in time or is nearly full, `job-malformed` when no
   * worker could ever read the job.
   */
  enqueueImage(
    lane: 'push' | 'cause',
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

/**
 * The few requests that authentication and subscriptions need: certificates and keys of senders, and SNS's confirmation.
 * It follows no redirect, bounds the answer, and reaches no host but those that the sources' settings imply.
 */
export interface Outbound {
  /** The body of a 200. @throws AppError when there is none: not checked is not passed. */
  get(url: URL): Promise<Uint8Array>;
}

/** Where a tag lists evidence, and what was pushed to it. */
export interface PushedEvidence {
  readonly location: EvidenceLocation;
  readonly tag: string;
  readonly push: EvidencePush;
}

/** Watches the tags that list evidence. */
export interface EvidenceWatch {
  /** Notes a push; answers whether evidence may have been lost by it. */
  pushed(pushed: PushedEvidence): Promise<boolean>;
}

/** What the intake needs of Redis, and of the world. Each may throw AppError `redis-unavailable`. */
export interface IntakePorts {
  readonly queue: EnqueueImage;
  readonly ownPushes: Pick<OwnPushes, 'has'>;
  readonly evidence: EvidenceWatch;
  readonly deliveries: DeliveryIds;
  readonly rate: RateGuard;
  readonly outbound: Outbound;
}
