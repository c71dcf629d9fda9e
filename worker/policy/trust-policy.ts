import { type Digest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { Evidence, EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import { formatImageRef, type ImageRef, parseRepositoryRef } from '#model/image-ref.ts';
import type { Reason, Verdict } from '#model/verdict.ts';
import type { CompiledPolicy, EvaluationInput } from '#policy/policy.ts';
import {
  defectReasons,
  evidenceRef,
  missingReason,
  tooManyLayers,
  unreachableReason,
  unsupportedReason,
} from '#policy/reasons.ts';
import type { Attestor } from '#verification/attestor.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';

export interface TrustPolicyInput {
  /** Names the trust: a configured id, or what the command line calls it. */
  readonly id: string;
  /** Exact predicateType URIs; each must be there. */
  readonly predicateTypes: readonly string[];
  readonly attestor: Attestor;
  /** `registry/path` that holds the evidence; absent: the image's own repository. */
  readonly repository?: string;
}

/**
 * Our own verdict: for every type at least one piece of evidence holds under the attestor. Evidence beside it that does
 * not hold is no obstacle, and is named.
 * @throws AppError `reference-invalid` when `repository` is none.
 */
export function trustPolicy(trust: TrustPolicyInput): CompiledPolicy {
  const repository = trust.repository === undefined ? undefined : parseRepositoryRef(trust.repository);
  const identity = {
    name: trust.id,
    kind: 'Trust',
    uri: `attestry:trust:${trust.id}`,
    digest: sha256(describeTrust(trust)),
  };
  function location(image: ImageRef, digest: Digest): EvidenceLocation {
    return { ...(repository ?? { registry: image.registry, repository: image.repository }), digest };
  }
  return {
    identity,
    emulates: 'attestry',
    needs: (image, digest) => ({ locations: [location(image, digest)] }),
    evaluate(input): Verdict {
      const judged = judge(trust, location(input.image, input.digest), input);
      return {
        image: formatImageRef({ ...input.image, digest: input.digest }),
        digest: input.digest,
        policy: identity,
        emulates: 'attestry',
        mode: 'strict',
        ...judged,
      };
    },
  };
}

/**
 * The pieces that hold under an attestor for this digest and are of this type.
 * @throws AppError `policy-unsupported`, see `verifyEvidence`.
 */
export function heldEvidence(
  raws: readonly RawEvidence[],
  digest: Digest,
  attestor: Attestor,
  predicateType: string,
  now: Date,
): Evidence[] {
  return raws
    .map((raw) => verifyEvidence(raw, { digest, attestor, now }))
    .filter((evidence) => evidence.held === true && evidence.statement?.predicateType === predicateType);
}

function judge(
  { predicateTypes, attestor }: TrustPolicyInput,
  location: EvidenceLocation,
  { content, digest, now }: EvaluationInput,
): Pick<Verdict, 'outcome' | 'reasons'> {
  const found = content(location);
  if (!found.ok) return { outcome: 'error', reasons: [unreachableReason(location, found.error)] };
  const crowded = tooManyLayers(found.evidence.length, location);
  if (crowded) return { outcome: 'fail', reasons: [crowded] };
  const evidence: Evidence[] = [];
  let undecided: AppError | undefined;
  for (const raw of found.evidence) {
    try {
      evidence.push(verifyEvidence(raw, { digest, attestor, now }));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'policy-unsupported') throw error;
      undecided ??= error;
    }
  }
  const reasons = predicateTypes.flatMap((type) => typeReasons(type, evidence, location));
  const missing = reasons.some(({ code }) => code !== 'verified');
  if (!missing) return { outcome: 'pass', reasons: [...reasons, ...defectReasons(evidence)] };
  // What could not be checked might be what is missing.
  if (undecided) return { outcome: 'error', reasons: [unsupportedReason(undecided), ...reasons] };
  return { outcome: 'fail', reasons: [...reasons, ...defectReasons(evidence)] };
}

function typeReasons(type: string, evidence: readonly Evidence[], location: EvidenceLocation): readonly Reason[] {
  const held = evidence.filter(({ held, statement }) => held === true && statement?.predicateType === type);
  if (held.length === 0) return [missingReason(type, evidence, location)];
  return held.map(({ raw, signer }) => ({
    code: 'verified',
    message: `evidence of type ${type} holds`,
    wanted: type,
    ...(signer ? { found: signer.subjectAlternativeNames.join(', ') || signer.fingerprint } : {}),
    evidence: evidenceRef(raw),
  }));
}

/** What the verdict depends on beside the evidence, as text: its digest tells one trust from another. */
function describeTrust({ id, predicateTypes, attestor, repository }: TrustPolicyInput): string {
  const who =
    attestor.kind === 'public-key'
      ? attestor.key.export({ type: 'spki', format: 'pem' })
      : attestor.authorities.map(({ anchors, intermediates }) =>
          [anchors, intermediates].map((list) => list.map(({ fingerprint }) => fingerprint)),
        );
  const identity = attestor.kind === 'certificate-chain' ? attestor.identity : undefined;
  const log = attestor.transparencyLog;
  const logs = attestor.logKeys?.map((key) => key.id);
  return JSON.stringify({ id, predicateTypes, repository, kind: attestor.kind, who, identity, log, logs });
}
