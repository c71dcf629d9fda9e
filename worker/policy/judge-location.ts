import type { EvidenceDefect, RawEvidence } from '#model/evidence.ts';
import { type AttestorCheck, checkLocation } from '#policy/attestor-set.ts';
import { type JudgedLocation, judgePieces } from '#policy/judge-pieces.ts';
import { judgeListedBundles } from '#policy/listed-bundles.ts';
import type { EvaluationInput } from '#policy/policy.ts';
import { tooManyLayers, unreachableReason } from '#policy/reasons.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';

/** Every piece of evidence where an attestor looks, judged under it. */
export function judgeLocation(
  entry: AttestorCheck,
  kind: 'attestation' | 'image-signature',
  input: EvaluationInput,
): JudgedLocation {
  if (entry.reads === 'listed-bundles') return judgeListedBundles(entry, kind, input);
  const location = checkLocation(entry, input.image, input.digest);
  const content = input.content(location, kind);
  if (!content.ok) {
    const reasons = [unreachableReason(location, content.error, entry.clause)];
    return { ok: false, result: { outcome: 'error', reasons } };
  }
  const crowded = tooManyLayers(content.evidence.length, location, entry.clause);
  if (crowded) return { ok: false, result: { outcome: 'fail', reasons: [crowded] } };
  const context = { digest: input.digest, attestor: entry.attestor, now: input.now };
  const judged = judgePieces(content.evidence, (raw) => {
    const large = tooLarge(raw, input.maxAttachmentBytes);
    return large ? { raw, held: large } : verifyEvidence(raw, context);
  });
  return { ok: true, location, ...judged };
}

function tooLarge({ descriptor }: RawEvidence, limit: number | undefined): EvidenceDefect | undefined {
  if (limit === undefined || descriptor.size <= limit) return undefined;
  return { code: 'layer-too-large', message: `The layer has ${descriptor.size} bytes, and the limit is ${limit}.` };
}
