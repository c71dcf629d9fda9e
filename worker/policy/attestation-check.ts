import { AppError } from '#model/errors.ts';
import type { Evidence, EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import type { Reason } from '#model/verdict.ts';
import { type AttestorCheck, type AttestorSetCheck, type CheckResult, evaluateSets } from '#policy/attestor-set.ts';
import type { Conditions } from '#policy/conditions/condition-blocks.ts';
import { judgeLocation } from '#policy/judge-location.ts';
import { orUnsupported } from '#policy/judge-pieces.ts';
import type { EvaluationInput } from '#policy/policy.ts';
import { defectReasons, evidenceRef, identityReason, missingReason, unsupportedReason } from '#policy/reasons.ts';
import { hasAnnotations } from '#policy/signature-check.ts';
import { unsupported } from '#policy/unsupported.ts';

/** One attestation that a policy wants, in the internal form: a type, who may sign, what it must say. */
export interface AttestationCheck {
  readonly clause: string;
  /** Exact predicateType. */
  readonly type: string;
  /** Every set must pass. */
  readonly sets: readonly AttestorSetCheck[];
  readonly conditions?: Conditions;
  /** What later conditions of the policy call the predicate. */
  readonly name?: string;
}

/**
 * Judges one attestation as Kyverno's type Cosign does (interop specification B.3, B.7, B.9): every set in order, each
 * with its count; under one attestor, every valid piece of the type must have the identity and meet the conditions.
 * `bindings` takes the predicate that the attestation's name stands for: the first object of any type.
 */
export function evaluateAttestation(
  check: AttestationCheck,
  input: EvaluationInput,
  bindings: Map<string, unknown>,
): CheckResult {
  return evaluateSets(check.sets, (entry) => evaluateEntry(entry, check, input, bindings));
}

function evaluateEntry(
  entry: AttestorCheck,
  check: AttestationCheck,
  input: EvaluationInput,
  bindings: Map<string, unknown>,
): CheckResult {
  const found = judgeLocation(entry, 'attestation', input);
  if (!found.ok) return found.result;
  const bound = bindable(entry, check, found.judged)[0];
  if (check.name && bound) bindings.set(check.name, bound.statement?.predicate);
  const result = evaluateEvidence(found.judged, found.location, entry, check, bindings);
  const [first] = found.undecided;
  // A valid piece that misses the conditions fails the entry whatever the others are; all else they could change.
  if (first && !(result.outcome === 'fail' && result.decided)) return error(unsupportedReason(first, entry.clause));
  return result;
}

function evaluateEvidence(
  judged: readonly Evidence[],
  location: EvidenceLocation,
  entry: AttestorCheck,
  check: AttestationCheck,
  bindings: ReadonlyMap<string, unknown>,
): CheckResult & { readonly decided?: true } {
  const { clause, identity, annotations } = entry;
  const valid = judged.filter(({ held }) => held === true);
  const ofType = valid.filter(({ statement }) => statement?.predicateType === check.type);
  if (valid.length === 0 || ofType.length === 0) {
    const missing = missingReason(check.type, judged, location, clause);
    return { outcome: 'fail', reasons: [missing, ...defectReasons(judged, clause)] };
  }
  for (const evidence of identity ? ofType : []) {
    const mismatch = identity?.mismatch(evidence.claims);
    if (mismatch) return { outcome: 'fail', reasons: [identityReason(mismatch, evidence, clause)], decided: true };
  }
  if (annotations && !valid.some(({ raw }) => hasAnnotations(unsignedAnnotations(raw), annotations))) {
    return { outcome: 'fail', reasons: [annotationsImpossible(annotations, clause)] };
  }
  // Kyverno binds the first object predicate to a variable before it looks at types, and errs when there is none.
  if (bindable(entry, check, valid).length === 0) {
    return { outcome: 'fail', reasons: [notAnObject(clause, ofType[0])] };
  }
  const reasons: Reason[] = [];
  for (const evidence of ofType) {
    const unmet = orUnsupported(() => unmetConditions(evidence, check, bindings));
    if (unmet instanceof AppError) return error(unsupportedReason(unmet, check.clause));
    if (unmet.length > 0) return { outcome: 'fail', reasons: unmet, decided: true };
    reasons.push(verified(evidence, check));
  }
  return { outcome: 'pass', reasons };
}

/** What a name may stand for: of cosign's tags Kyverno holds every type at this point, of bundles the one asked for. */
function bindable({ reads }: AttestorCheck, { type }: AttestationCheck, judged: readonly Evidence[]) {
  const objects = judged.filter(({ held, statement }) => held === true && isObject(statement?.predicate));
  return reads === undefined ? objects : objects.filter(({ statement }) => statement?.predicateType === type);
}

function unmetConditions(
  evidence: Evidence,
  { conditions, clause }: AttestationCheck,
  bindings: ReadonlyMap<string, unknown>,
): readonly Reason[] {
  if (!conditions) return [];
  const predicate = evidence.statement?.predicate;
  if (!isObject(predicate)) return [notAnObject(`${clause}.conditions`, evidence)];
  // Kyverno merges the predicate into the document that holds the names; where both have a member it is not guessed.
  const shadowed = [...bindings.keys()].find((name) => Object.hasOwn(predicate, name));
  if (shadowed !== undefined) throw unsupported(`a predicate with a member named like the attestation "${shadowed}"`);
  const document = { ...Object.fromEntries(bindings), ...predicate };
  return conditions.evaluate(document).map((reason) => ({ ...reason, evidence: evidenceRef(evidence.raw) }));
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

/** An envelope has no signed place for annotations, so Kyverno takes them from a member that nobody signed (K.6, 121). */
function unsignedAnnotations({ bytes }: RawEvidence): Readonly<Record<string, unknown>> | undefined {
  const envelope: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
  const optional = isObject(envelope) && Object.hasOwn(envelope, 'optional') ? envelope.optional : undefined;
  return isObject(optional) ? optional : undefined;
}

function annotationsImpossible(wanted: Readonly<Record<string, string>>, clause: string): Reason {
  return {
    code: 'annotations-missing',
    message: 'an attestation has no signed place for annotations, so none can carry the ones that the policy wants',
    clause,
    wanted: JSON.stringify(wanted).slice(0, 500),
    next: 'remove annotations from the attestor; put a condition on the predicate instead',
  };
}

function error(reason: Reason): CheckResult {
  return { outcome: 'error', reasons: [reason] };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
