import { verifyImage } from '#engine/verify.ts';
import { podImage, type ScheduledPolicy } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { Digest } from '#model/digest.ts';
import type { AppError } from '#model/errors.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import type { Transition } from '#model/ledger.ts';
import type { Verdict } from '#model/verdict.ts';

export interface Observed {
  readonly verdicts: readonly Verdict[];
  readonly transitions: readonly Transition[];
  /** Why something could not be read. */
  readonly failures: readonly AppError[];
}

/** How the ledger names an image: `registry/repository@digest`. */
export function ledgerImage(image: ImageRef, digest: Digest): string {
  return formatImageRef({ registry: image.registry, repository: image.repository, digest });
}

/**
 * Judges an image under policies and records each verdict with the time of the next check. What changed is in the
 * ledger's outbox when this returns.
 * @throws AppError `registry-throttled`: a registry that asks to be left alone is a reason to wait, not a finding.
 */
export async function observeImage(
  image: ImageRef,
  digest: Digest,
  scheduled: readonly ScheduledPolicy[],
  ports: JobPorts,
  context: JobContext,
): Promise<Observed> {
  const policies = scheduled.map(({ policy }) => policy);
  const request = { image: podImage(image), digest, policies, signal: context.signal };
  const { verdicts, failures } = await verifyImage(request, ports.engine);
  const throttled = failures.find((failure) => failure.class === 'throttled');
  if (throttled) throw throttled;
  const transitions: Transition[] = [];
  for (const [at, verdict] of verdicts.entries()) {
    const everyMs = verdict.outcome === 'error' ? ports.retryErrorMs : (scheduled[at]?.everyMs ?? 0);
    const now = ports.now();
    const transition = await ports.ledger.record({
      image: ledgerImage(image, digest),
      ...(image.tag === undefined ? {} : { tag: image.tag }),
      verdict,
      at: now,
      nextDue: new Date(now.getTime() + everyMs),
    });
    if (transition) transitions.push(transition);
  }
  return { verdicts, transitions, failures };
}
