import { type Digest, sha256 } from '#model/digest.ts';
import type { AppError } from '#model/errors.ts';
import type { Evidence, EvidenceLayout, EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import { formatImageRef, type ImageRef, parseRepositoryRef } from '#model/image-ref.ts';
import { COSIGN_SIGN } from '#model/media-types.ts';
import type { Reason, Verdict } from '#model/verdict.ts';
import type { CompiledPolicy, EvaluationInput, EvidenceKind } from '#policy/policy.ts';
import {
  defectReasons,
  evidenceRef,
  missingReason,
  tooManyLayers,
  unreachableReason,
  unsupportedReason,
} from '#policy/reasons.ts';
import type { Attestor } from '#verification/attestor.ts';
import { isUndecided } from '#verification/undecided.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';

export interface TrustPolicyInput {
  /** Names the trust: a configured id, or what the command line calls it. */
  readonly id: string;
  /** Exact predicateType URIs; each must be there. */
  readonly predicateTypes: readonly string[];
  readonly attestor: Attestor;
  /** `registry/path` that holds the evidence; absent: the image's own repository. */
  readonly repository?: string;
  /** The layouts that are read; absent: both. */
  readonly layouts?: readonly EvidenceLayout[];
  /** Whether evidence must be there in each of them; absent: in any. */
  readonly inEach?: boolean;
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
    needs(image, digest) {
      const at = (kind: EvidenceKind) => (kindsOf(trust).includes(kind) ? [location(image, digest)] : []);
      return { locations: at('attestation'), signatures: at('image-signature'), bundles: at('bundle') };
    },
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
  trust: TrustPolicyInput,
  location: EvidenceLocation,
  input: EvaluationInput,
): Pick<Verdict, 'outcome' | 'reasons'> {
  const { predicateTypes, inEach = false } = trust;
  const found = kindsOf(trust).map((kind) => ({ kind, ...judgeKind(kind, trust.attestor, location, input) }));
  const evidence = found.flatMap((each) => each.evidence);
  const open = found.flatMap((each) => each.open);
  const unread = found.flatMap((each) => each.unread);
  const crowded = found.flatMap((each) => each.crowded);
  if (crowded.length > 0) return { outcome: 'fail', reasons: crowded };
  const reasons = predicateTypes.flatMap((type) => {
    if (!inEach) return typeReasons(type, evidence, location);
    return found
      .filter(({ kind }) => holdsType(kind, type))
      .flatMap((each) => typeReasons(type, each.evidence, location, each.kind));
  });
  const missing = reasons.some(({ code }) => code !== 'verified');
  if (!missing) return { outcome: 'pass', reasons: [...reasons, ...defectReasons(evidence)] };
  // What could not be read or checked might be what is missing.
  if (unread.length > 0)
    return { outcome: 'error', reasons: [...new Map(unread.map((each) => [each.message, each])).values()] };
  if (open.length > 0) return { outcome: 'error', reasons: [...open, ...reasons] };
  return { outcome: 'fail', reasons: [...reasons, ...defectReasons(evidence)] };
}

/** Where the evidence of these types may lie, in the layouts that are read. */
function kindsOf({ predicateTypes, layouts = ['cosign-tag', 'bundle'] }: TrustPolicyInput): readonly EvidenceKind[] {
  const tags = (['attestation', 'image-signature'] as const).filter(
    (kind) => kind === 'attestation' || predicateTypes.includes(COSIGN_SIGN),
  );
  const wanted =
    predicateTypes.every((type) => type === COSIGN_SIGN) && predicateTypes.length > 0 ? tags.slice(1) : tags;
  return [
    ...(layouts.includes('cosign-tag') ? wanted : []),
    ...(layouts.includes('bundle') ? ['bundle' as const] : []),
  ];
}

/** Whether evidence of a type lies there: an image signature has a tag of its own. */
function holdsType(kind: EvidenceKind, type: string): boolean {
  return kind === 'bundle' || (kind === 'image-signature') === (type === COSIGN_SIGN);
}

interface JudgedKind {
  readonly evidence: readonly Evidence[];
  /** Why it could not be fetched. */
  readonly unread: readonly Reason[];
  /** Why pieces of it could not be judged. */
  readonly open: readonly Reason[];
  readonly crowded: readonly Reason[];
}

function judgeKind(
  kind: EvidenceKind,
  attestor: Attestor,
  location: EvidenceLocation,
  { content, digest, now }: EvaluationInput,
): JudgedKind {
  const nothing = { evidence: [], unread: [], open: [], crowded: [] };
  const found = content(location, kind);
  if (!found.ok) return { ...nothing, unread: [unreachableReason(location, found.error)] };
  const crowded = kind === 'bundle' ? undefined : tooManyLayers(found.evidence.length, location);
  if (crowded) return { ...nothing, crowded: [crowded] };
  const evidence: Evidence[] = [];
  let undecided: AppError | undefined;
  for (const raw of found.evidence) {
    try {
      evidence.push(verifyEvidence(raw, { digest, attestor, now }));
    } catch (error) {
      if (!isUndecided(error)) throw error;
      undecided ??= error;
    }
  }
  return { ...nothing, evidence, open: undecided ? [unsupportedReason(undecided)] : [] };
}

function typeReasons(
  type: string,
  evidence: readonly Evidence[],
  location: EvidenceLocation,
  kind?: EvidenceKind,
): readonly Reason[] {
  const held = evidence.filter((each) => each.held === true && isOfType(each, type));
  if (held.length === 0) {
    const missing = missingReason(type, evidence, location);
    return [kind === 'bundle' ? { ...missing, message: `${missing.message}, among its bundles` } : missing];
  }
  return held.map(({ raw, signer }) => ({
    code: 'verified',
    message: `evidence of type ${type} holds`,
    wanted: type,
    ...(signer ? { found: signer.subjectAlternativeNames.join(', ') || signer.fingerprint } : {}),
    evidence: evidenceRef(raw),
  }));
}

function isOfType({ statement, signing }: Evidence, type: string): boolean {
  return signing === undefined ? statement?.predicateType === type : type === COSIGN_SIGN;
}

/** What the verdict depends on beside the evidence, as text: its digest tells one trust from another. */
function describeTrust({ id, predicateTypes, attestor, repository, layouts, inEach }: TrustPolicyInput): string {
  const { source } = attestor;
  if (source !== undefined) return JSON.stringify({ id, predicateTypes, repository, layouts, inEach, source });
  const who =
    attestor.kind === 'public-key'
      ? attestor.key.export({ type: 'spki', format: 'pem' })
      : attestor.authorities.map(({ anchors, intermediates }) =>
          [anchors, intermediates].map((list) => list.map(({ fingerprint }) => fingerprint)),
        );
  const identity = attestor.kind === 'certificate-chain' ? attestor.identity : undefined;
  const log = attestor.transparencyLog;
  const logs = attestor.logKeys?.map((key) => key.id);
  const where = { repository, layouts, inEach };
  return JSON.stringify({ id, predicateTypes, ...where, kind: attestor.kind, who, identity, log, logs });
}
