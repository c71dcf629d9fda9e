import { AppError } from '#model/errors.ts';
import type { Evidence, EvidenceDefect, EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import { type AttestorCheck, type CheckResult, checkLocation } from '#policy/attestor-set.ts';
import type { EvaluationInput, EvidenceKind } from '#policy/policy.ts';
import { tooManyLayers, unreachableReason } from '#policy/reasons.ts';
import { unsupported } from '#policy/unsupported.ts';
import { isUndecided } from '#verification/undecided.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';

export type JudgedLocation =
  | {
      readonly ok: true;
      readonly location: EvidenceLocation;
      readonly judged: readonly Evidence[];
      /** Why pieces could not be checked. */
      readonly undecided: readonly AppError[];
    }
  | { readonly ok: false; readonly result: CheckResult };

/** Every piece of evidence where an attestor looks, judged under it. */
export function judgeLocation(entry: AttestorCheck, kind: EvidenceKind, input: EvaluationInput): JudgedLocation {
  const location = checkLocation(entry, input.image, input.digest);
  const content = input.content(location, kind);
  if (!content.ok) {
    const reasons = [unreachableReason(location, content.error, entry.clause)];
    return { ok: false, result: { outcome: 'error', reasons } };
  }
  const crowded = tooManyLayers(content.evidence.length, location, entry.clause);
  if (crowded) return { ok: false, result: { outcome: 'fail', reasons: [crowded] } };
  const judged: Evidence[] = [];
  const undecided: AppError[] = [];
  for (const raw of content.evidence) {
    const large = tooLarge(raw, input.maxAttachmentBytes);
    if (large) {
      judged.push({ raw, held: large });
      continue;
    }
    const evidence = orUnsupported(() =>
      verifyEvidence(raw, { digest: input.digest, attestor: entry.attestor, now: input.now }),
    );
    if (evidence instanceof AppError) undecided.push(evidence);
    else judged.push(evidence);
  }
  return { ok: true, location, judged, undecided };
}

function tooLarge({ descriptor }: RawEvidence, limit: number | undefined): EvidenceDefect | undefined {
  if (limit === undefined || descriptor.size <= limit) return undefined;
  return { code: 'layer-too-large', message: `The layer has ${descriptor.size} bytes, and the limit is ${limit}.` };
}

/** The result, or the named form that is not supported and that it met. */
export function orUnsupported<Result>(work: () => Result): Result | AppError {
  try {
    return work();
  } catch (error) {
    if (isUndecided(error)) return error;
    // The readers of a predicate are recursive, and statements may be nested as deeply as the stack.
    if (error instanceof RangeError) return unsupported('a predicate that is nested so deeply');
    throw error;
  }
}
