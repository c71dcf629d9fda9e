import type { Reason } from '#model/verdict.ts';
import { OPERATORS } from '#policy/conditions/operators.ts';
import {
  type AttestorEntry,
  AttestorSet,
  type ConditionBlock,
  type ImageVerification,
  type Spec,
} from '#policy/dialects/kyverno-cluster-policy/schema.ts';

/**
 * What Kyverno's admission refuses in a policy (interop specification B.2, K.6, K.8): such a policy is never in force,
 * for any image. Nothing is reported that admission lets pass.
 */
export function refusalsOf(spec: Spec): readonly Reason[] {
  const reasons: Reason[] = [];
  for (const [r, rule] of (spec.rules ?? []).entries()) {
    // Kyverno keeps the action of one element for the next that names none.
    let audit = spec.validationFailureAction?.toLowerCase() !== 'enforce';
    for (const [v, element] of (rule.verifyImages ?? []).entries()) {
      const clause = `spec.rules[${r}].verifyImages[${v}]`;
      if (element.failureAction) audit = element.failureAction === 'Audit';
      if (audit && element.mutateDigest !== false) {
        reasons.push(
          refused(
            `${clause}.mutateDigest`,
            'mutateDigest must be set to false for the Audit failure action',
            'set failureAction: Enforce, or mutateDigest: false',
          ),
        );
      }
      reasons.push(...elementRefusals(element, clause));
    }
  }
  if (spec.admission === false && (spec.rules ?? []).some(({ verifyImages }) => verifyImages?.length)) {
    reasons.push(refused('spec.admission', 'image verification cannot be taken out of admission', 'remove it'));
  }
  return reasons;
}

function elementRefusals(element: ImageVerification, clause: string): readonly Reason[] {
  const references = [...(element.imageReferences ?? []), ...(element.image ? [element.image] : [])];
  const variable = references.findIndex((reference) => reference.includes('{{'));
  return [
    ...(references.length === 0 ? [refused(clause, 'an image reference is required', 'add imageReferences')] : []),
    ...(variable < 0
      ? []
      : [refused(`${clause}.imageReferences[${variable}]`, 'variables are not allowed', 'write the pattern out')]),
    ...(element.attestors ?? []).flatMap((set, index) => setRefusals(set, `${clause}.attestors[${index}]`)),
    ...(element.attestations ?? []).flatMap((attestation, index) => {
      const at = `${clause}.attestations[${index}]`;
      return [
        ...(attestation.attestors ?? []).flatMap((set, position) => setRefusals(set, `${at}.attestors[${position}]`)),
        ...(attestation.conditions ?? []).flatMap((block, position) =>
          operatorRefusals(block, `${at}.conditions[${position}]`),
        ),
      ];
    }),
    ...notaryRefusals(element, clause),
  ];
}

function setRefusals(set: AttestorSet, clause: string): readonly Reason[] {
  const entries = set.entries ?? [];
  const { count } = set;
  return [
    ...(entries.length === 0 ? [refused(`${clause}.entries`, 'an entry is required', 'add an attestor')] : []),
    ...(typeof count === 'number' && (count < 1 || count > entries.length)
      ? [refused(`${clause}.count`, `count ${count} is not from 1 to the number of entries`, 'correct the count')]
      : []),
    ...entries.flatMap((entry, index) => entryRefusals(entry, `${clause}.entries[${index}]`)),
  ];
}

function entryRefusals(entry: AttestorEntry, clause: string): readonly Reason[] {
  const { keys, certificates, keyless } = entry;
  const nested = entry.attestor ?? undefined;
  const given = [keys, certificates, keyless, nested].filter((each) => each !== null && each !== undefined);
  if (given.length !== 1) {
    const message = 'exactly one of keys, certificates, keyless and attestor is required';
    return [refused(clause, message, 'keep one of them')];
  }
  if (keys && !keys.publicKeys && !keys.kms && !keys.secret) {
    return [refused(`${clause}.keys`, 'a public key, a KMS key or a secret is required', 'add publicKeys')];
  }
  if (certificates && !certificates.cert && !certificates.certChain) {
    return [refused(`${clause}.certificates`, 'cert or certChain is required', 'add certChain')];
  }
  if (keyless && !keyless.rekor && !keyless.roots) {
    return [refused(`${clause}.keyless`, 'either rekor or roots is required', 'add rekor.url')];
  }
  if (keyless?.rekor && !keyless.rekor.url) {
    return [refused(`${clause}.keyless.rekor.url`, 'a URL is required', 'add rekor.url')];
  }
  if (nested === undefined) return [];
  const set = AttestorSet.safeParse(nested);
  return set.success
    ? setRefusals(set.data, `${clause}.attestor`)
    : [refused(`${clause}.attestor`, 'the nested attestor is no set of entries', 'write entries below it')];
}

function operatorRefusals(block: ConditionBlock, clause: string): readonly Reason[] {
  return (['any', 'all'] as const).flatMap((kind) =>
    (block[kind] ?? []).flatMap(({ operator }, index) => {
      if (!operator || Object.hasOwn(OPERATORS, operator)) return [];
      const message = `the operator ${JSON.stringify(operator.slice(0, 40))} is none`;
      return [
        refused(`${clause}.${kind}[${index}].operator`, message, `write one of ${Object.keys(OPERATORS).join(', ')}`),
      ];
    }),
  );
}

function notaryRefusals(element: ImageVerification, clause: string): readonly Reason[] {
  if (element.type !== 'Notary') return [];
  const entries = (element.attestors ?? []).flatMap((set) => set.entries ?? []);
  return entries.some(({ keys, keyless }) => keys || keyless)
    ? [refused(`${clause}.attestors`, 'keys and keyless are not allowed for the type Notary', 'use certificates')]
    : [];
}

function refused(clause: string, message: string, next: string): Reason {
  return { code: 'policy-refused', message: `Kyverno refuses this policy: ${message}`, clause, next };
}
