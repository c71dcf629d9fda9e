import { verifyImage } from '#engine/verify.ts';
import { type ArmedRule, podImage } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import type { Digest } from '#model/digest.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import type { Transition } from '#model/ledger.ts';
import type { Verdict } from '#model/verdict.ts';

export interface Observed {
  readonly verdicts: readonly Verdict[];
  readonly transitions: readonly Transition[];
}

/** How the ledger names an image: `registry/repository@digest`. */
export function ledgerImage(image: ImageRef, digest: Digest): string {
  return formatImageRef({ registry: image.registry, repository: image.repository, digest });
}

/**
 * Judges an image under the policies of its rule and records each verdict with the time of the next check. What changed
 * is in the ledger's outbox when this returns.
 */
export async function observeImage(
  image: ImageRef,
  digest: Digest,
  armed: ArmedRule,
  ports: JobPorts,
  context: JobContext,
): Promise<Observed> {
  const policies = armed.policies.map(({ policy }) => policy);
  const request = { image: podImage(image), digest, policies, signal: context.signal };
  const { verdicts } = await verifyImage(request, ports.engine);
  const transitions: Transition[] = [];
  for (const [at, verdict] of verdicts.entries()) {
    const everyMs = verdict.outcome === 'error' ? ports.retryErrorMs : (armed.policies[at]?.everyMs ?? 0);
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
  await forgetOthers(ledgerImage(image, digest), new Set(policies.map(({ identity }) => identity.uri)), ports);
  return { verdicts, transitions };
}

/** Policies that the rule names no more: nobody would ever judge them again, and their alerts would stay open. */
async function forgetOthers(image: string, uris: ReadonlySet<string>, ports: JobPorts): Promise<void> {
  for (const { policyUri } of await ports.ledger.latest(image)) {
    if (!uris.has(policyUri)) await ports.ledger.forget(image, ports.now(), policyUri);
  }
}
