import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { Evidence, EvidenceLocation } from '#model/evidence.ts';
import type { ImageRef, RepositoryRef } from '#model/image-ref.ts';
import type { Outcome, Reason } from '#model/verdict.ts';
import type { Conditions } from '#policy/conditions/condition-blocks.ts';
import type { EvaluationInput } from '#policy/policy.ts';
import {
  defectReasons,
  evidenceRef,
  missingReason,
  tooManyLayers,
  unreachableReason,
  unsupportedReason,
} from '#policy/reasons.ts';
import { unsupported } from '#policy/unsupported.ts';
import type { Attestor } from '#verification/attestor.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';

/** One attestation that a policy wants, in the internal form: a type, who may sign, what it must say. */
export interface AttestationCheck {
  readonly clause: string;
  /** Exact predicateType. */
  readonly type: string;
  /** Every set must pass. */
  readonly sets: readonly AttestorSetCheck[];
  readonly conditions?: Conditions;
}

export interface AttestorSetCheck {
  readonly clause: string;
  /** How many entries must pass; the first ones that do end the search. */
  readonly required: number;
  readonly entries: readonly AttestorCheck[];
}

export interface AttestorCheck {
  readonly clause: string;
  readonly attestor: Attestor;
  /** Where its evidence is; absent: the image's own repository. */
  readonly repository?: RepositoryRef;
}

export interface CheckResult {
  readonly outcome: Extract<Outcome, 'pass' | 'fail' | 'error'>;
  readonly reasons: readonly Reason[];
}

export function checkLocation(check: AttestorCheck, image: ImageRef, digest: Digest): EvidenceLocation {
  const { registry, repository } = check.repository ?? image;
  return { registry, repository, digest };
}

/**
 * Judges one attestation as Kyverno's type Cosign does (interop specification B.3, B.7, B.9): every set in order, each
 * with its count; under one attestor, every valid piece of the type must meet the conditions.
 */
export function evaluateAttestation(check: AttestationCheck, input: EvaluationInput): CheckResult {
  const passed: Reason[] = [];
  for (const set of check.sets) {
    const result = evaluateSet(set, check, input);
    if (result.outcome !== 'pass') return result;
    passed.push(...result.reasons);
  }
  return { outcome: 'pass', reasons: passed };
}

function evaluateSet(set: AttestorSetCheck, check: AttestationCheck, input: EvaluationInput): CheckResult {
  const results: CheckResult[] = [];
  for (const entry of set.entries) {
    const result = evaluateEntry(entry, check, input);
    results.push(result);
    const passed = results.filter(({ outcome }) => outcome === 'pass');
    if (passed.length >= set.required) return { outcome: 'pass', reasons: passed.flatMap(({ reasons }) => reasons) };
  }
  const count = (wanted: CheckResult['outcome']) => results.filter(({ outcome }) => outcome === wanted).length;
  const reasons = results.filter(({ outcome }) => outcome !== 'pass').flatMap((result) => result.reasons);
  // Entries that could not be checked decide only when they could have made up the count.
  const outcome = count('error') > 0 && count('pass') + count('error') >= set.required ? 'error' : 'fail';
  if (set.entries.length === 1) return { outcome, reasons };
  const summary: Reason = {
    code: 'attestor-count',
    message: `${count('pass')} of ${set.entries.length} attestors hold`,
    clause: set.clause,
    wanted: String(set.required),
    found: String(count('pass')),
  };
  return { outcome, reasons: [summary, ...reasons] };
}

function evaluateEntry(entry: AttestorCheck, check: AttestationCheck, input: EvaluationInput): CheckResult {
  const location = checkLocation(entry, input.image, input.digest);
  const content = input.content(location);
  if (!content.ok) return error(unreachableReason(location, content.error, entry.clause));
  const crowded = tooManyLayers(content.evidence.length, location, entry.clause);
  if (crowded) return { outcome: 'fail', reasons: [crowded] };
  const judged: Evidence[] = [];
  const undecided: AppError[] = [];
  for (const raw of content.evidence) {
    const evidence = orUnsupported(() =>
      verifyEvidence(raw, { digest: input.digest, attestor: entry.attestor, now: input.now }),
    );
    if (evidence instanceof AppError) undecided.push(evidence);
    else judged.push(evidence);
  }
  const result = evaluateEvidence(judged, location, entry, check);
  const [first] = undecided;
  // A valid piece that misses the conditions fails the entry whatever the others are; all else they could change.
  if (first && !(result.outcome === 'fail' && result.decided)) return error(unsupportedReason(first, entry.clause));
  return result;
}

function evaluateEvidence(
  judged: readonly Evidence[],
  location: EvidenceLocation,
  { clause }: AttestorCheck,
  check: AttestationCheck,
): CheckResult & { readonly decided?: true } {
  const valid = judged.filter(({ held }) => held === true);
  const ofType = valid.filter(({ statement }) => statement?.predicateType === check.type);
  if (valid.length === 0 || ofType.length === 0) {
    const missing = missingReason(check.type, judged, location, clause);
    return { outcome: 'fail', reasons: [missing, ...defectReasons(judged, clause)] };
  }
  // Kyverno binds the first object predicate to a variable before it looks at types, and errs when there is none.
  if (!valid.some(({ statement }) => isObject(statement?.predicate))) {
    return { outcome: 'fail', reasons: [notAnObject(clause, ofType[0])] };
  }
  const reasons: Reason[] = [];
  for (const evidence of ofType) {
    const unmet = orUnsupported(() => unmetConditions(evidence, check));
    if (unmet instanceof AppError) return error(unsupportedReason(unmet, check.clause));
    if (unmet.length > 0) return { outcome: 'fail', reasons: unmet, decided: true };
    reasons.push(verified(evidence, check));
  }
  return { outcome: 'pass', reasons };
}

function unmetConditions(evidence: Evidence, { conditions, clause }: AttestationCheck): readonly Reason[] {
  if (!conditions) return [];
  const predicate = evidence.statement?.predicate;
  if (!isObject(predicate)) return [notAnObject(`${clause}.conditions`, evidence)];
  return conditions.evaluate(predicate).map((reason) => ({ ...reason, evidence: evidenceRef(evidence.raw) }));
}

function notAnObject(clause: string, evidence: Evidence | undefined): Reason {
  return {
    code: 'predicate-not-object',
    message: 'the predicate is not an object, and Kyverno needs one',
    clause,
    ...(evidence ? { evidence: evidenceRef(evidence.raw) } : {}),
    next: 'attach the document as a JSON object',
  };
}

function verified({ raw, signer }: Evidence, check: AttestationCheck): Reason {
  const found = signer?.subjectAlternativeNames.join(', ') || signer?.subject || signer?.fingerprint;
  return {
    code: 'verified',
    message: `evidence of type ${check.type} holds${check.conditions ? ' and meets the conditions' : ''}`,
    clause: check.clause,
    wanted: check.type,
    ...(found === undefined ? {} : { found }),
    evidence: evidenceRef(raw),
  };
}

function orUnsupported<Result>(work: () => Result): Result | AppError {
  try {
    return work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'policy-unsupported') return error;
    // The readers of a predicate are recursive, and statements may be nested as deeply as the stack.
    if (error instanceof RangeError) return unsupported('a predicate that is nested so deeply');
    throw error;
  }
}

function error(reason: Reason): CheckResult {
  return { outcome: 'error', reasons: [reason] };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
