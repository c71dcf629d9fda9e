import type { Evidence, RawEvidence } from '#model/evidence.ts';
import type { Attestor } from '#verification/attestor.ts';
import { type VerificationContext, verifyEvidence } from '#verification/verify-evidence.ts';

interface Judgement {
  readonly time: number;
  readonly digest: string;
  readonly evidence: Evidence;
}

const judgements = new WeakMap<RawEvidence, WeakMap<Attestor, Judgement>>();

/**
 * Judges a piece as `verifyEvidence` does; of one reading of a location, once for an attestor and time, however many
 * wishes ask: with a hundred wishes on a hundred pieces it would be the same signature a hundred times.
 * @throws AppError as `verifyEvidence`; then it is judged again when it is asked again.
 */
export function judgedEvidence(raw: RawEvidence, context: VerificationContext): Evidence {
  const { digest, attestor, now } = context;
  const byAttestor = judgements.get(raw) ?? new WeakMap<Attestor, Judgement>();
  const known = byAttestor.get(attestor);
  if (known && known.time === now.getTime() && known.digest === digest) return known.evidence;
  const evidence = verifyEvidence(raw, context);
  byAttestor.set(attestor, { time: now.getTime(), digest, evidence });
  judgements.set(raw, byAttestor);
  return evidence;
}
