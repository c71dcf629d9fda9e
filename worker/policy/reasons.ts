import type { AppError } from '#model/errors.ts';
import { type Evidence, type EvidenceLocation, locationKey, type RawEvidence } from '#model/evidence.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import type { Reason } from '#model/verdict.ts';
import type { IdentityMismatch } from '#policy/certificate-identity.ts';

/** Defects that one verdict lists; a tag may hold a thousand bad layers. */
const MAX_DEFECTS = 20;
const MAX_TYPES = 5;

/** More layers of one tag than this are read by none of the verifiers (interop specification A.1.1). */
const MAX_LAYERS = 1000;

/** The whole tag is unreadable for the verifiers when it lists too many layers. */
export function tooManyLayers(count: number, location: EvidenceLocation, clause?: string): Reason | undefined {
  if (count <= MAX_LAYERS) return undefined;
  return {
    code: 'evidence-invalid',
    message: `the tag at ${locationKey(location)} lists ${count} layers, and verifiers read at most ${MAX_LAYERS}`,
    ...(clause === undefined ? {} : { clause }),
    next: 'remove attestations that are no longer needed',
  };
}

/** How a reason names a piece of evidence: `registry/repository@digest` of the layer. */
export function evidenceRef({ location, descriptor }: RawEvidence): string {
  return `${formatRepositoryRef(location)}@${descriptor.digest}`;
}

/** No piece of a type holds: none is attached, or none of those that are. */
export function missingReason(
  type: string,
  evidence: readonly Evidence[],
  location: EvidenceLocation,
  clause?: string,
): Reason {
  const invalid = evidence.filter(({ held }) => held !== true).length;
  const types = new Set(
    evidence
      .flatMap(({ held, statement }) => (held === true && statement ? [statement] : []))
      .map(({ predicateType }) => predicateType),
  );
  const where = locationKey(location);
  const found = [
    ...(types.size > 0 ? [`valid evidence of type ${[...types].slice(0, MAX_TYPES).join(', ')}`] : []),
    ...(invalid > 0 ? [`${invalid} that ${invalid === 1 ? 'does' : 'do'} not hold`] : []),
  ].join(' and ');
  const at = clause === undefined ? {} : { clause };
  if (invalid > 0 && types.size === 0) {
    return {
      code: 'evidence-invalid',
      message: `none of the evidence at ${where} holds`,
      ...at,
      wanted: type,
      found,
      next: 'see the reason of each piece; attach evidence by a signer that the policy trusts',
    };
  }
  return {
    code: 'evidence-missing',
    message: `no valid evidence of type ${type} at ${where}`,
    ...at,
    wanted: type,
    found: found || 'nothing is attached',
    next: 'attach evidence of this type to the image, or correct the type or repository in the policy',
  };
}

/** Why pieces do not hold, each with its place; the first twenty. */
export function defectReasons(evidence: readonly Evidence[], clause?: string): readonly Reason[] {
  const reasons: Reason[] = [];
  for (const { held, raw } of evidence) {
    if (held === true || reasons.length >= MAX_DEFECTS) continue;
    reasons.push({
      code: held.code,
      message: held.message,
      ...(clause === undefined ? {} : { clause }),
      evidence: evidenceRef(raw),
    });
  }
  return reasons;
}

/** Evidence that holds, by somebody else than the policy wants. */
export function identityReason(mismatch: IdentityMismatch, { raw }: Evidence, clause: string): Reason {
  return {
    code: 'identity-mismatch',
    ...mismatch,
    clause,
    evidence: evidenceRef(raw),
    next: 'sign with the identity that the policy names, or correct it in the policy',
  };
}

/** The evidence could not be fetched, so nothing is known of it. */
export function unreachableReason(location: EvidenceLocation, error: AppError, clause?: string): Reason {
  return {
    code: 'evidence-unreachable',
    message: `the evidence at ${locationKey(location)} could not be fetched: ${error.message}`,
    ...(clause === undefined ? {} : { clause }),
    found: error.code,
    ...(error.mend === undefined ? {} : { next: error.mend }),
  };
}

/** A form of the policy, or of evidence that it requires, that is not judged. */
export function unsupportedReason(error: AppError, clause?: string): Reason {
  const next = error.mend === undefined ? {} : { next: error.mend };
  const where = clause === undefined ? {} : { clause };
  const code = unavailable(error.code);
  if (code !== undefined) return { code, message: error.message, ...where, ...next };
  return {
    code: 'policy-unsupported',
    message: `${error.message}${error.message.endsWith('supported yet') ? '' : ' is not supported yet'}`,
    ...where,
    ...next,
  };
}

function unavailable(code: AppError['code']): 'trust-unavailable' | 'revocation-unknown' | undefined {
  return code === 'trust-unavailable' || code === 'revocation-unknown' ? code : undefined;
}
