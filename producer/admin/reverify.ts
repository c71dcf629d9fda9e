import * as z from 'zod/mini';
import { JOB_VERSION } from '#model/job.ts';
import { readImage } from '#producer/admin/image-name.ts';
import { withoutTag } from '#producer/admin/images.ts';
import type { AdminParts } from '#producer/admin/parts.ts';
import { isRefusal, refusal } from '#producer/admin/refusal.ts';

const Wanted = z.strictObject({ image: z.optional(z.string()), policy: z.optional(z.string()) });

/**
 * Re-verification on demand. One image is enqueued at once; more are made due in the ledger, whose next wake-up takes
 * them in order: a request for everything must not fill the queue. `due` says how many states that concerns.
 */
export async function reverify(parts: AdminParts, body: unknown, traceparent: string): Promise<object> {
  const wanted = Wanted.safeParse(body);
  if (!wanted.success) {
    return refusal(422, 'malformed', 'send an object with `image`, `policy`, both, or neither for everything');
  }
  const { image: text, policy } = wanted.data;
  const policyUri = policy === undefined ? undefined : parts.policyUri(policy);
  if (policy !== undefined && policyUri === undefined) {
    return refusal(422, 'unknown-policy', '`policy` is not configured; write the id of a policy of `policies`');
  }
  const byPolicy = policyUri === undefined ? {} : { policyUri };
  const now = parts.now();
  if (text === undefined) return { due: await parts.ledger.makeDue(byPolicy, now) };
  const image = readImage(text, parts.registryOf);
  if (isRefusal(image)) return image;
  // Due first: should the job not be enqueued, the check is late and not lost.
  const due =
    image.digest === undefined ? 0 : await parts.ledger.makeDue({ ...byPolicy, image: withoutTag(image) }, now);
  const job = await parts.queue.enqueueImage('cause', {
    v: JOB_VERSION,
    kind: 'verify',
    image,
    source: 'api',
    cause: 'demand',
    traceparent,
    receivedAt: now.toISOString(),
  });
  return { due, job };
}
