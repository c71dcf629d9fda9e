import type { Evidence, RawEvidence } from '#model/evidence.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import type { Reason } from '#model/verdict.ts';
import type { AttestorCheck } from '#policy/attestor-set.ts';
import { type JudgedLocation, judgePieces } from '#policy/judge-pieces.ts';
import type { EvaluationInput } from '#policy/policy.ts';
import { evidenceRef, unreachableReason } from '#policy/reasons.ts';
import { parseBundle } from '#verification/bundle.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';

/** Referrers of any kind that Kyverno takes; with one more it refuses the image (interop specification K.6, 126). */
const MAX_REFERRERS = 50;

/**
 * The bundles of an image under one attestor, as Kyverno's type SigstoreBundle reads them (interop specification B.10):
 * anything among them that is no bundle ends the reading, and one of another identity is as good as none.
 */
export function judgeListedBundles(
  entry: AttestorCheck,
  kind: 'attestation' | 'image-signature',
  input: EvaluationInput,
): JudgedLocation {
  const { clause, attestor, identity } = entry;
  const { digest, now } = input;
  const location = { registry: input.image.registry, repository: input.image.repository, digest };
  const content = input.content(location, 'listed-bundle');
  if (!content.ok) {
    const reasons = [unreachableReason(location, content.error, clause)];
    return { ok: false, result: { outcome: 'error', reasons } };
  }
  const { evidence, listed = evidence.length, artifact } = content;
  const crowded = listed > MAX_REFERRERS ? tooMany(listed, entry, formatRepositoryRef(location)) : undefined;
  const obstacle = crowded ?? evidence.map((raw) => unreadable(raw, clause)).find((reason) => reason !== undefined);
  if (obstacle) return { ok: false, result: { outcome: 'fail', reasons: [obstacle] } };
  const context = { digest, attestor, now, ...(artifact ? { artifact } : {}) };
  const pieces = judgePieces(evidence, (raw) => {
    const judged = verifyEvidence(raw, context);
    const mismatch = judged.held === true ? identity?.mismatch(judged.claims) : undefined;
    return mismatch ? otherIdentity(judged, mismatch.message) : judged;
  });
  const judged = kind === 'attestation' ? pieces.judged.filter(isPlainlyTyped) : pieces.judged;
  return { ok: true, location, undecided: pieces.undecided, judged };
}

function otherIdentity({ raw, signer }: Evidence, message: string): Evidence {
  return { raw, ...(signer ? { signer } : {}), held: { code: 'identity-mismatch', message } };
}

/** Kyverno looks for the type by the member as it is spelt, before anything reads the statement. */
function isPlainlyTyped({ raw, statement }: Evidence): boolean {
  return statement === undefined || readingOf(raw).type === statement.predicateType;
}

interface Reading {
  /** Why it is no bundle to Kyverno. */
  readonly problem?: string;
  /** The member `predicateType` of its statement. */
  readonly type?: unknown;
}

/** A bundle is large, and every attestor asks. */
const readings = new WeakMap<RawEvidence, Reading>();

function readingOf(raw: RawEvidence): Reading {
  const known = readings.get(raw) ?? read(raw);
  readings.set(raw, known);
  return known;
}

function read({ bytes }: RawEvidence): Reading {
  if (!bytes) return { problem: 'it is not there, has no layer, or is larger than ten megabytes' };
  const parsed = parseBundle(bytes, 'compat');
  if (!parsed.ok) return { problem: parsed.defect.message };
  if (parsed.bundle.content.kind !== 'envelope') return {};
  try {
    return { type: JSON.parse(parsed.bundle.content.payload.toString('utf8'))?.predicateType };
  } catch {
    return {};
  }
}

function tooMany(listed: number, { clause }: AttestorCheck, where: string): Reason {
  return {
    code: 'evidence-invalid',
    message: `${listed} manifests refer to the image in ${where}, and Kyverno refuses it beyond ${MAX_REFERRERS}`,
    clause,
    wanted: `at most ${MAX_REFERRERS}`,
    found: String(listed),
    next: 'delete referrers of the image that nobody needs',
  };
}

function unreadable(raw: RawEvidence, clause: string): Reason | undefined {
  const { problem } = readingOf(raw);
  if (problem === undefined) return undefined;
  return {
    code: 'evidence-invalid',
    message: 'a referrer that the registry lists as a bundle is none, and Kyverno then reads none of them',
    clause,
    found: problem.slice(0, 500),
    evidence: evidenceRef(raw),
    next: `delete the referrer ${raw.manifestDigest}, or attach a bundle of version 0.3 in its place`,
  };
}
