import { isDigest } from '#model/digest.ts';
import type { ImageRef } from '#model/image-ref.ts';
import { type Cause, type ImageJob, JOB_VERSION } from '#model/job.ts';
import type { DueItem, Ledger } from '#model/ledger.ts';
import type { JobQueues } from '#queue/queues.ts';

export interface EnqueueDueOptions {
  readonly ledger: Pick<Ledger, 'due' | 'defer' | 'forget'>;
  readonly queues: Pick<JobQueues, 'enqueueImage'>;
  readonly now: Date;
  /** Items read at once; the rest stays due. */
  readonly limit: number;
  /** W3C Trace Context for a job; a trace of its own each. */
  readonly traceparent: () => string;
  /** `schedule` when absent. */
  readonly cause?: Cause;
  /** Milliseconds for which an item that was enqueued is not due again, should its job never report. */
  readonly deferMs?: number;
}

export interface EnqueuedDue {
  /** Items that were read; as many as the limit means that there may be more. */
  readonly items: number;
  /** Jobs that were enqueued: one an image, whatever the number of its policies. */
  readonly jobs: number;
}

/** Longer than a job may take with its retries at hand; shorter than an operator's patience. */
const DEFER_MS = 15 * 60_000;

/**
 * Enqueues a check for each image that has something due. Enqueued first and deferred after: a crash between the two
 * enqueues it again, and the queue knows it then.
 */
export async function enqueueDue(options: EnqueueDueOptions): Promise<EnqueuedDue> {
  const items = await options.ledger.due(options.now, options.limit);
  const until = new Date(options.now.getTime() + (options.deferMs ?? DEFER_MS));
  let jobs = 0;
  for (const [image, ofImage] of Map.groupBy(items, (item) => item.image)) {
    const ref = splitImage(image, ofImage[0]?.tag);
    // Not a name of ours: no job could ever settle it.
    if (!ref) {
      for (const { policyUri } of ofImage) await options.ledger.forget(image, options.now, policyUri);
    } else {
      await options.queues.enqueueImage('cause', verifyJob(ref, options));
      await deferAll(options.ledger, ofImage, until);
      jobs += 1;
    }
  }
  return { items: items.length, jobs };
}

async function deferAll(ledger: Pick<Ledger, 'defer'>, items: readonly DueItem[], until: Date): Promise<void> {
  await Promise.all(items.map((item) => ledger.defer(item, until)));
}

function verifyJob(image: ImageRef, options: EnqueueDueOptions): ImageJob {
  return {
    v: JOB_VERSION,
    kind: 'verify',
    image,
    source: 'scheduler',
    cause: options.cause ?? 'schedule',
    traceparent: options.traceparent(),
    receivedAt: options.now.toISOString(),
  };
}

/**
 * The ledger names images `registry/repository@digest` by the configured registry name, which need not look like a
 * host: so the reference grammar, which guesses, must not read it.
 */
function splitImage(image: string, tag: string | undefined): ImageRef | undefined {
  const slash = image.indexOf('/');
  const at = image.lastIndexOf('@');
  const digest = image.slice(at + 1);
  if (slash < 1 || at < slash || !isDigest(digest)) return undefined;
  const ref = { registry: image.slice(0, slash), repository: image.slice(slash + 1, at), digest };
  return tag === undefined ? ref : { ...ref, tag };
}
