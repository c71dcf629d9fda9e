import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { Outcome, Reason } from '#model/verdict.ts';
import { evaluateAttestation } from '#policy/attestation-check.ts';
import { setLocations } from '#policy/attestor-set.ts';
import type { Bindings, Deny } from '#policy/dialects/kyverno-cluster-policy/deny.ts';
import type { Element } from '#policy/dialects/kyverno-cluster-policy/element.ts';
import { orUnsupported } from '#policy/judge-pieces.ts';
import { kyvernoImage } from '#policy/matching/kyverno-image.ts';
import { wildcardMatchesAny } from '#policy/matching/wildcard.ts';
import type { EvaluationInput, PolicyNeeds } from '#policy/policy.ts';
import { unsupportedReason } from '#policy/reasons.ts';
import { evaluateSignatures } from '#policy/signature-check.ts';

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

/** The evidence locations that an element reads for an image: of attestations, and of the image's signatures. */
export function elementLocations(
  element: Element,
  image: ImageRef,
  digest: Digest,
): Required<Omit<PolicyNeeds, 'bundles'>> {
  const nothing = { locations: [], signatures: [], listed: [] };
  if (matchElement(element, image).kind === 'skipped' || element.unsupported.length > 0) return nothing;
  if (element.readsBundles) {
    const { registry, repository } = image;
    return { ...nothing, listed: [{ registry, repository, digest }] };
  }
  return {
    ...nothing,
    locations: element.checks.flatMap(({ sets }) => sets.flatMap((set) => setLocations(set, image, digest))),
    signatures: element.signatures.flatMap((set) => setLocations(set, image, digest)),
  };
}

/** What an element has in common with the others of its rule. */
export interface RuleContext {
  /** The rule gives images their digest before that is asked for. */
  readonly mutatesDigest: boolean;
  /** `validate.deny` of every element: each is asked after any, also where it is for other images (K.6, 112). */
  readonly denials: readonly Deny[];
  readonly bindings: Bindings;
}

/** Judges one element. */
export function evaluateElement(element: Element, input: EvaluationInput, rule: RuleContext): ElementResult {
  const matching = matchElement(element, input.image);
  if (matching.kind === 'skipped') return { outcome: 'skip', reasons: matching.reasons };
  if (element.unsupported.length > 0) return { outcome: 'error', reasons: element.unsupported };
  if (element.signatures.length + element.checks.length === 0) {
    const message = 'the element has neither attestors nor attestations, so it verifies nothing';
    return { outcome: 'skip', reasons: [{ code: 'nothing-to-verify', message, clause: element.clause }] };
  }
  const checks = [
    ...(element.signatures.length > 0 ? [() => evaluateSignatures(element.signatures, input)] : []),
    ...element.checks.map((check) => () => evaluateAttestation(check, input, rule.bindings)),
  ];
  const passed: Reason[] = [];
  for (const check of checks) {
    const result = check();
    if (result.outcome !== 'pass') return { ...result, reasons: [...result.reasons, ...element.withoutHost] };
    passed.push(...result.reasons);
  }
  const denied = element.checks.length > 0 ? denial(rule, element) : undefined;
  if (denied) return denied;
  if (element.verifyDigest && !rule.mutatesDigest && input.image.digest === undefined) {
    return { outcome: 'fail', reasons: [digestMissing(element, input.image), ...passed] };
  }
  return { outcome: 'pass', reasons: passed };
}

function denial({ denials, bindings }: RuleContext, { clause }: Element): ElementResult | undefined {
  for (const deny of denials) {
    const reason = orUnsupported(() => deny.evaluate(bindings));
    if (reason instanceof AppError) return { outcome: 'error', reasons: [unsupportedReason(reason, clause)] };
    if (reason) return { outcome: 'fail', reasons: [reason] };
  }
  return undefined;
}

function digestMissing({ clause }: Element, image: ImageRef): Reason {
  return {
    code: 'digest-missing',
    message: `${kyvernoImage(image)} has no digest, and the policy wants one`,
    clause: `${clause}.verifyDigest`,
    next: 'name the image by its digest, or set mutateDigest: true',
  };
}
