import type { Digest } from '#model/digest.ts';
import type { DefectCode } from '#model/evidence.ts';

/**
 * `pass` holds; `warn` the tool would warn; `fail` checked, and bad; `error` could not be checked; `skip` the policy
 * does not speak of this image. `error` is never `fail`, and neither is ever `pass`.
 */
export const OUTCOMES = ['pass', 'warn', 'fail', 'error', 'skip'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What a policy is called, and which bytes it was. */
export interface PolicyIdentity {
  readonly name: string;
  readonly kind: string;
  /** Stable address: `file:<name>` or `attestry:trust:<id>`. States are kept per image and uri. */
  readonly uri: string;
  /** Digest of the policy document's bytes. */
  readonly digest: Digest;
}

/** The closed catalogue of reason codes: all that a verdict can say, beside the defects of single evidence. */
export const REASONS = {
  verified: 'Evidence holds, and the conditions are met.',
  'no-policy-matched': 'No policy speaks of this image.',
  'image-not-matched': 'The image matches no imageReferences pattern of the policy.',
  'image-skipped': 'The image matches a skipImageReferences pattern.',
  'reference-without-host': 'A pattern or repository of the policy names no registry host.',
  'nothing-to-verify': 'The rule element has neither attestors nor attestations.',
  'evidence-missing': 'No evidence of this type is attached where the policy looks.',
  'evidence-invalid': 'Evidence of this type is attached, and none of it holds.',
  'attestor-count': 'Fewer attestors than wanted hold.',
  'condition-failed': 'A condition on the predicate is not met.',
  'condition-unresolved': 'A condition names something that the predicate does not have.',
  'annotations-missing': 'No signature carries the annotations that the policy wants.',
  'attestor-impossible': 'The verifier can never be satisfied by this attestor.',
  denied: 'The evidence is good, and the policy denies the image by its own conditions.',
  'predicate-not-object': 'The predicate is not an object, and the verifier needs one.',
  'policy-malformed': 'The policy is not YAML or breaks its schema.',
  'policy-refused': 'The admission controller would refuse this policy.',
  'policy-unsupported': 'The policy uses a form that is not supported yet.',
  'revocation-unknown': 'Whether a certificate was revoked could not be found out.',
  'trust-unavailable': 'The trust material that the verdict needs is not there, or has expired.',
  'evidence-unreachable': 'The evidence could not be fetched.',
  'image-unreachable': 'The image could not be resolved.',
  'digest-missing': 'The image has no digest after mutation, and the policy wants one.',
} as const;

export type ReasonCode = keyof typeof REASONS | DefectCode;

export interface Reason {
  readonly code: ReasonCode;
  readonly message: string;
  /** Where in the policy, e.g. `rules[0].verifyImages[0].attestations[0]`. */
  readonly clause?: string;
  readonly wanted?: string;
  readonly found?: string;
  /** The piece of evidence: `registry/repository@sha256:…` of the layer. */
  readonly evidence?: string;
  /** What to do about it. */
  readonly next?: string;
}

/** What one policy says of one image. */
export interface Verdict {
  /** `registry/repository[:tag]@digest` by the configured registry name. */
  readonly image: string;
  readonly digest?: Digest;
  readonly policy: PolicyIdentity;
  /** The tool and version whose judgement this is, e.g. `kyverno 1.19.1`; `attestry` for our own. */
  readonly emulates: string;
  readonly mode: 'compat' | 'strict';
  readonly outcome: Outcome;
  readonly strictOutcome?: Outcome;
  readonly reasons: readonly Reason[];
}

const SEVERITY: Readonly<Record<Outcome, number>> = { skip: 0, pass: 1, warn: 2, fail: 3, error: 4 };

/** The worst of several outcomes: error over fail over warn over pass over skip. */
export function worstOutcome(outcomes: readonly Outcome[]): Outcome {
  return outcomes.reduce<Outcome>((worst, next) => (SEVERITY[next] > SEVERITY[worst] ? next : worst), 'skip');
}

/** The part of a verdict whose change is a change of state: the outcome and the sorted reason codes. */
export function verdictState(verdict: Pick<Verdict, 'outcome' | 'reasons'>): string {
  const codes = [...new Set(verdict.reasons.map((reason) => reason.code))].sort();
  return `${verdict.outcome}:${codes.join(',')}`;
}
