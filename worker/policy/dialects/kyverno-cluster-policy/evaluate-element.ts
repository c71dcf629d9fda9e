import type { Digest } from '#model/digest.ts';
import type { EvidenceLocation } from '#model/evidence.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { Outcome, Reason } from '#model/verdict.ts';
import { checkLocation, evaluateAttestation } from '#policy/attestation-check.ts';
import type { Element } from '#policy/dialects/kyverno-cluster-policy/element.ts';
import { kyvernoImage } from '#policy/matching/kyverno-image.ts';
import { wildcardMatchesAny } from '#policy/matching/wildcard.ts';
import type { EvaluationInput } from '#policy/policy.ts';

export interface ElementResult {
  readonly outcome: Outcome;
  readonly reasons: readonly Reason[];
}

type Matching = { readonly kind: 'matched' } | { readonly kind: 'skipped'; readonly reasons: readonly Reason[] };

/** Matching comes before anything else: a policy that does not speak of the image has no say, whatever it holds. */
export function matchElement(element: Element, image: ImageRef): Matching {
  const name = kyvernoImage(image);
  if (!wildcardMatchesAny(element.imageReferences, name)) {
    const reason: Reason = {
      code: 'image-not-matched',
      message: `${name} matches no pattern of imageReferences`,
      clause: `${element.clause}.imageReferences`,
      wanted: element.imageReferences.join(', ').slice(0, 500),
      found: name,
      ...(image.digest === undefined
        ? {}
        : { next: 'a reference by digest hides its tag: patterns must fit name@sha256:…' }),
    };
    return { kind: 'skipped', reasons: [reason, ...element.withoutHost] };
  }
  if (wildcardMatchesAny(element.skipImageReferences, name)) {
    const reason: Reason = {
      code: 'image-skipped',
      message: `${name} matches a pattern of skipImageReferences`,
      clause: `${element.clause}.skipImageReferences`,
      found: name,
    };
    return { kind: 'skipped', reasons: [reason] };
  }
  return { kind: 'matched' };
}

/** The evidence locations that an element reads for an image. */
export function elementLocations(element: Element, image: ImageRef, digest: Digest): readonly EvidenceLocation[] {
  if (matchElement(element, image).kind === 'skipped' || element.unsupported.length > 0) return [];
  return element.checks.flatMap(({ sets }) =>
    sets.flatMap(({ entries }) => entries.map((entry) => checkLocation(entry, image, digest))),
  );
}

/** Judges one element. `mutated` says that the rule gives images their digest before that is asked for. */
export function evaluateElement(element: Element, input: EvaluationInput, mutated: boolean): ElementResult {
  const matching = matchElement(element, input.image);
  if (matching.kind === 'skipped') return { outcome: 'skip', reasons: matching.reasons };
  if (element.unsupported.length > 0) return { outcome: 'error', reasons: element.unsupported };
  if (element.checks.length === 0) {
    const message = 'the element has neither attestors nor attestations, so it verifies nothing';
    return { outcome: 'skip', reasons: [{ code: 'nothing-to-verify', message, clause: element.clause }] };
  }
  const passed: Reason[] = [];
  for (const check of element.checks) {
    const result = evaluateAttestation(check, input);
    if (result.outcome !== 'pass') return { ...result, reasons: [...result.reasons, ...element.withoutHost] };
    passed.push(...result.reasons);
  }
  if (element.verifyDigest && !mutated && input.image.digest === undefined) {
    return { outcome: 'fail', reasons: [digestMissing(element, input.image), ...passed] };
  }
  return { outcome: 'pass', reasons: passed };
}

function digestMissing({ clause }: Element, image: ImageRef): Reason {
  return {
    code: 'digest-missing',
    message: `${kyvernoImage(image)} has no digest, and the policy wants one`,
    clause: `${clause}.verifyDigest`,
    next: 'name the image by its digest, or set mutateDigest: true',
  };
}
