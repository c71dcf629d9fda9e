import type { Evidence, EvidenceLocation } from '#model/evidence.ts';
import { locationKey } from '#model/evidence.ts';
import type { Reason } from '#model/verdict.ts';
import { type AttestorCheck, type AttestorSetCheck, type CheckResult, evaluateSets } from '#policy/attestor-set.ts';
import { judgeLocation } from '#policy/judge-location.ts';
import type { EvaluationInput } from '#policy/policy.ts';
import { defectReasons, evidenceRef, identityReason, unsupportedReason } from '#policy/reasons.ts';

/**
 * Judges the signatures of the image itself as Kyverno's type Cosign does (interop specification A.2, B.3): one
 * signature that holds, one with the identity, and one with the annotations are enough; they may be three.
 */
export function evaluateSignatures(sets: readonly AttestorSetCheck[], input: EvaluationInput): CheckResult {
  return evaluateSets(sets, (entry) => evaluateEntry(entry, input));
}

function evaluateEntry(entry: AttestorCheck, input: EvaluationInput): CheckResult {
  const found = judgeLocation(entry, 'image-signature', input);
  if (!found.ok) return found.result;
  const result = evaluateHeld(entry, found.judged, found.location);
  const [first] = found.undecided;
  if (result.outcome === 'pass' || !first) return result;
  return { outcome: 'error', reasons: [unsupportedReason(first, entry.clause)] };
}

function evaluateHeld(entry: AttestorCheck, judged: readonly Evidence[], location: EvidenceLocation): CheckResult {
  const { clause, identity, annotations } = entry;
  const held = judged.filter((evidence) => evidence.held === true);
  const [first] = held;
  if (!first) return failed([missing(judged, location, clause), ...defectReasons(judged, clause)]);
  const named = identity ? held.find(({ claims }) => !identity.mismatch(claims)) : first;
  if (!named) {
    return failed(
      held.flatMap((evidence) => {
        const mismatch = identity?.mismatch(evidence.claims);
        return mismatch ? [identityReason(mismatch, evidence, clause)] : [];
      }),
    );
  }
  if (annotations && !held.some(({ signing }) => hasAnnotations(signing?.annotations, annotations))) {
    return failed([annotationsMissing(annotations, held, clause)]);
  }
  return { outcome: 'pass', reasons: [verified(named, clause)] };
}

/** Every wanted annotation with exactly this text. */
export function hasAnnotations(
  found: Readonly<Record<string, unknown>> | undefined,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([name, value]) => found && Object.hasOwn(found, name) && found[name] === value);
}

function missing(judged: readonly Evidence[], location: EvidenceLocation, clause: string): Reason {
  const where = locationKey(location);
  const next = 'sign the image with a key or certificate that the policy trusts';
  if (judged.length === 0) {
    const message = `the image has no signature at ${where}`;
    return { code: 'evidence-missing', message, clause, found: 'nothing is attached', next };
  }
  const message = `none of the image's signatures at ${where} holds`;
  return { code: 'evidence-invalid', message, clause, found: `${judged.length} that do not hold`, next };
}

function annotationsMissing(
  wanted: Readonly<Record<string, string>>,
  held: readonly Evidence[],
  clause: string,
): Reason {
  return {
    code: 'annotations-missing',
    message: 'no signature carries the annotations that the policy wants',
    clause,
    wanted: JSON.stringify(wanted).slice(0, 500),
    found: held
      .map(({ signing }) => JSON.stringify(signing?.annotations ?? {}))
      .join(', ')
      .slice(0, 500),
    next: 'sign the image with these annotations',
  };
}

function verified({ raw, signer }: Evidence, clause: string): Reason {
  const found = signer?.subjectAlternativeNames.join(', ') || signer?.subject || signer?.fingerprint;
  return {
    code: 'verified',
    message: 'a signature of the image holds',
    clause,
    ...(found === undefined ? {} : { found }),
    evidence: evidenceRef(raw),
  };
}

function failed(reasons: readonly Reason[]): CheckResult {
  return { outcome: 'fail', reasons };
}
