import { verifyImage } from '#engine/verify.ts';
import { podImage, type ScheduledPolicy } from '#jobs/installation.ts';
import type { JobContext, JobPorts } from '#jobs/job-ports.ts';
import { judgedTag, taggedImage } from '#jobs/known-names.ts';
import type { Digest } from '#model/digest.ts';
import type { AppError } from '#model/errors.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import type { StateRecord, Transition } from '#model/ledger.ts';
import { type ReasonCode, type Verdict, worstOutcome } from '#model/verdict.ts';

const UNREACHABLE: readonly ReasonCode[] = ['image-unreachable', 'evidence-unreachable', 'revocation-unknown'];

export interface Observed {
  readonly verdicts: readonly Verdict[];
  readonly transitions: readonly Transition[];
  /** Why something could not be read. */
  readonly failures: readonly AppError[];
  /** The registry says that there is no such image. */
  readonly gone: boolean;
}

/** How the ledger names an image: `registry/repository@digest`. */
export function ledgerImage(image: ImageRef, digest: Digest): string {
  return formatImageRef({ registry: image.registry, repository: image.repository, digest });
}

/**
 * Judges an image under policies and records each verdict with the time of the next check. What changed is in the
 * ledger's outbox when this returns. A state that was found under another name of the image stands against a better one
 * under this name, and is checked under its own: a further tag must not end what is known of the others.
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
  const { verdicts, failures, digest: resolved } = await verifyImage(request, ports.engine);
  if (resolved) await ports.engine.seen?.note({ registry: image.registry, repository: image.repository, digest });
  const throttled = failures.find((failure) => failure.class === 'throttled');
  if (throttled) throw throttled;
  const states = await ports.ledger.latest(ledgerImage(image, digest));
  const transitions: Transition[] = [];
  const elsewhere: { readonly tag: string | undefined; readonly policy: ScheduledPolicy }[] = [];
  for (const [at, policy] of scheduled.entries()) {
    const verdict = verdicts[at] as Verdict;
    const known = states.find(({ policyUri }) => policyUri === verdict.policy.uri);
    if (known && standsElsewhere(known, image, verdict)) {
      elsewhere.push({ tag: judgedTag(known, image), policy });
      continue;
    }
    const everyMs = mayPass(verdict) ? Math.min(ports.retryErrorMs, policy.everyMs) : policy.everyMs;
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
  for (const [tag, found] of Map.groupBy(elsewhere, (each) => each.tag)) {
    const policies = found.map(({ policy }) => policy);
    transitions.push(...(await observeImage(taggedImage(image, tag), digest, policies, ports, context)).transitions);
  }
  const gone = resolved === undefined && failures.some(({ code }) => code === 'not-found');
  return { verdicts, transitions, failures, gone };
}

/** Whether trying again soon can help: a policy that cannot be judged is the same for every image, and in an hour. */
function mayPass({ outcome, reasons }: Verdict): boolean {
  return outcome === 'error' && reasons.some(({ code }) => UNREACHABLE.includes(code));
}

function standsElsewhere(known: StateRecord, image: ImageRef, found: Verdict): boolean {
  if (!known.verdict || found.outcome === 'error' || judgedTag(known, image) === image.tag) return false;
  return worstOutcome([known.verdict.outcome, found.outcome]) === known.verdict.outcome;
}
