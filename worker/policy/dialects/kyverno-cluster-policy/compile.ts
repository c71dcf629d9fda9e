import type { Digest } from '#model/digest.ts';
import { type EvidenceLocation, locationKey } from '#model/evidence.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import { type PolicyIdentity, type Reason, type Verdict, worstOutcome } from '#model/verdict.ts';
import type { SigstoreRoot } from '#policy/dialects/kyverno-cluster-policy/bundle-attestor.ts';
import { compileElement, type Element } from '#policy/dialects/kyverno-cluster-policy/element.ts';
import {
  type ElementResult,
  elementLocations,
  evaluateElement,
  matchElement,
} from '#policy/dialects/kyverno-cluster-policy/evaluate-element.ts';
import { matchPod } from '#policy/dialects/kyverno-cluster-policy/pod-match.ts';
import { refusalsOf } from '#policy/dialects/kyverno-cluster-policy/refusals.ts';
import type { PolicyDocument, Rule, Spec } from '#policy/dialects/kyverno-cluster-policy/schema.ts';
import type { EvaluationInput, LoadedPolicy, PolicyNeeds } from '#policy/policy.ts';
import { unsupportedReason } from '#policy/reasons.ts';
import { unsupported } from '#policy/unsupported.ts';

export const EMULATES = 'kyverno 1.19.1';

interface CompiledRule {
  readonly elements: readonly Element[];
  /** Forms of the rule around its elements that are not judged. */
  readonly unsupported: readonly Reason[];
  readonly mutatesDigest: boolean;
  /** What makes Kyverno itself fall over in this rule. */
  readonly crash?: Reason;
}

/**
 * Compiles a ClusterPolicy, or a Policy in its own namespace. It judges a Pod that is created with just the image, as
 * Kyverno 1.19.1 does (interop specification B, K.6): rules that speak of other kinds have no say.
 */
export function compileClusterPolicy(
  { spec, kind }: PolicyDocument,
  identity: PolicyIdentity,
  root: SigstoreRoot,
): LoadedPolicy {
  const refusals = refusalsOf(spec);
  const rules = (spec.rules ?? []).flatMap((rule, index) => compileRule(rule, `spec.rules[${index}]`, spec, root));
  const needed = (image: ImageRef, digest: Digest): PolicyNeeds => {
    const elements =
      refusals.length > 0 ? [] : rules.filter((rule) => rule.unsupported.length === 0).flatMap(elementsOf);
    const found = elements.map((element) => elementLocations(element, image, digest));
    return {
      locations: distinct(found.flatMap(({ locations }) => locations)),
      signatures: distinct(found.flatMap(({ signatures }) => signatures)),
      listed: distinct(found.flatMap(({ listed }) => listed)),
    };
  };
  return {
    identity,
    emulates: EMULATES,
    problems: [
      ...refusals,
      ...rules.flatMap(({ elements, unsupported }) => [
        ...unsupported,
        ...elements.flatMap((element) => [...element.unsupported, ...element.withoutHost]),
      ]),
    ],
    needs: needed,
    evaluate(input): Verdict {
      const { outcome, reasons } =
        refusals.length > 0 ? { outcome: 'error' as const, reasons: refusals } : judge(rules, input, kind);
      return {
        image: formatImageRef({ ...input.image, digest: input.digest }),
        digest: input.digest,
        policy: identity,
        emulates: EMULATES,
        mode: 'compat',
        outcome,
        reasons,
      };
    },
  };
}

function compileRule(rule: Rule, clause: string, spec: Spec, root: SigstoreRoot): readonly CompiledRule[] {
  if (!rule.verifyImages?.length) return [];
  const pod = matchPod(rule, clause);
  if (pod.kind === 'no') return [];
  const names = (rule.verifyImages ?? []).flatMap(({ attestations }) =>
    (attestations ?? []).flatMap(({ name }) => (name ? [name] : [])),
  );
  const elements = rule.verifyImages.map((element, index) =>
    compileElement(element, `${clause}.verifyImages[${index}]`, names, root),
  );
  const denying = rule.verifyImages.filter(({ validate }) => validate?.deny).length;
  const undecided = pod.kind === 'depends' ? pod.clauses : [];
  return [
    {
      elements,
      unsupported: [
        ...undecided.map((at) => notJudged(at, 'a selector that depends on more than the image')),
        ...(['context', 'preconditions', 'celPreconditions', 'imageExtractors'] as const).flatMap((field) =>
          isGiven(rule[field]) ? [notJudged(`${clause}.${field}`, field)] : [],
        ),
        ...(spec.webhookConfiguration?.matchConditions?.length
          ? [notJudged('spec.webhookConfiguration.matchConditions', 'match conditions')]
          : []),
        ...(spec.applyRules === 'One' && (spec.rules?.length ?? 0) > 1
          ? [notJudged('spec.applyRules', 'applyRules One with several rules')]
          : []),
      ],
      mutatesDigest: elements.some(({ mutateDigest }) => mutateDigest),
      ...(denying > 0 && denying < elements.length ? { crash: crash(clause) } : {}),
    },
  ];
}

function judge(rules: readonly CompiledRule[], input: EvaluationInput, kind: string): ElementResult {
  const results = rules.flatMap((rule) => judgeRule(rule, input));
  if (results.length === 0) {
    const message = `no rule of this ${kind} verifies the images of Pods`;
    return { outcome: 'skip', reasons: [{ code: 'image-not-matched', message, clause: 'spec.rules' }] };
  }
  const outcome = worstOutcome(results.map((result) => result.outcome));
  // Elements for other images are no news beside one that has a say.
  const telling = outcome === 'skip' ? results : results.filter((result) => result.outcome !== 'skip');
  return { outcome, reasons: telling.flatMap(({ reasons }) => reasons) };
}

function judgeRule(rule: CompiledRule, input: EvaluationInput): readonly ElementResult[] {
  const matched = rule.elements.some((element) => matchElement(element, input.image).kind === 'matched');
  if (matched && rule.unsupported.length > 0) return [{ outcome: 'error', reasons: rule.unsupported }];
  if (matched && rule.crash) return [{ outcome: 'error', reasons: [rule.crash] }];
  const denials = rule.elements.flatMap(({ deny }) => (deny ? [deny] : []));
  const context = { mutatesDigest: rule.mutatesDigest, denials, bindings: new Map() };
  return rule.elements.map((element) => evaluateElement(element, input, context));
}

function elementsOf({ elements }: CompiledRule): readonly Element[] {
  return elements;
}

function distinct(locations: readonly EvidenceLocation[]): readonly EvidenceLocation[] {
  return [...new Map(locations.map((location) => [locationKey(location), location])).values()];
}

/** Kyverno follows the missing `deny` of the other element into a panic (interop specification K.6, 112). */
function crash(clause: string): Reason {
  return {
    code: 'policy-refused',
    message: 'Kyverno crashes on a rule of which some elements have validate.deny and others have none',
    clause: `${clause}.verifyImages`,
    next: 'write validate.deny on every element of the rule, or on none',
  };
}

function notJudged(clause: string, what: string): Reason {
  return unsupportedReason(unsupported(what), clause);
}

function isGiven(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
