import { attestorTraps } from '#policy/lint/attestor-traps.ts';
import type { Path, Trap } from '#policy/lint/finding.ts';
import { listOf, member, textOf } from '#policy/lint/members.ts';
import { referenceTraps, repositoryTraps } from '#policy/lint/reference-traps.ts';
import { builderTraps, typeTraps } from '#policy/lint/type-traps.ts';

const FLAT = ['key', 'image', 'issuer', 'subject', 'roots'] as const;

/** Traps of Kyverno's ClusterPolicy and Policy (interop B.1 to B.10, I.5, K.6). */
export function clusterPolicyTraps(document: unknown): readonly Trap[] {
  const rules = listOf(member(document, 'spec', 'rules'));
  const verifies = rules.some((rule) => listOf(member(rule, 'verifyImages')).length > 0);
  if (!verifies) return [];
  return [
    { code: 'deprecated-kind', path: ['kind'], found: textOf(member(document, 'kind')) },
    ...rules.flatMap((rule, index) => ruleTraps(rule, ['spec', 'rules', index])),
  ];
}

function ruleTraps(rule: unknown, path: Path): readonly Trap[] {
  const elements = listOf(member(rule, 'verifyImages'));
  const denying = elements.filter((element) => member(element, 'validate', 'deny') !== undefined).length;
  const at = [...path, 'verifyImages'];
  return [
    ...(denying > 0 && denying < elements.length ? [{ code: 'deny-on-some-elements', path: at } as const] : []),
    ...elements.flatMap((element, index) => elementTraps(element, [...at, index])),
  ];
}

function elementTraps(element: unknown, path: Path): readonly Trap[] {
  if (member(element, 'type') === 'Notary') return [];
  const isBundle = member(element, 'type') === 'SigstoreBundle';
  const attestors = listOf(member(element, 'attestors'));
  const attestations = listOf(member(element, 'attestations'));
  const flat = FLAT.filter((name) => textOf(member(element, name)) !== '');
  const repository = textOf(member(element, 'repository'));
  const references = listOf(member(element, 'imageReferences')).map(textOf);
  return [
    ...flat.map((name) => ({ code: 'deprecated-field', path: [...path, name], found: name }) as const),
    ...referenceTraps(references, [...path, 'imageReferences']),
    ...(isBundle && repository !== ''
      ? [{ code: 'field-ignored', path: [...path, 'repository'], found: 'repository' } as const]
      : repositoryTraps(repository, [...path, 'repository'])),
    ...(attestors.length + attestations.length + flat.length === 0
      ? [{ code: 'nothing-verified', path } as const]
      : []),
    ...attestorTraps(attestors, [...path, 'attestors'], { level: 'rule', isBundle }),
    ...attestations.flatMap((attestation, index) =>
      attestationTraps(attestation, [...path, 'attestations', index], isBundle),
    ),
  ];
}

function attestationTraps(attestation: unknown, path: Path, isBundle: boolean): readonly Trap[] {
  const type = textOf(member(attestation, 'type'));
  const old = textOf(member(attestation, 'predicateType'));
  const named = [...path, type === '' ? 'predicateType' : 'type'];
  const attestors = member(attestation, 'attestors');
  return [
    ...(old === ''
      ? []
      : [
          type === ''
            ? ({ code: 'deprecated-field', path: named, found: 'predicateType' } as const)
            : ({ code: 'field-ignored', path: [...path, 'predicateType'], found: 'predicateType' } as const),
        ]),
    ...(listOf(attestors).length === 0 ? [{ code: 'attestation-without-attestors', path } as const] : []),
    ...typeTraps(type || old, named),
    ...builderTraps(type || old, member(attestation, 'conditions'), named),
    ...attestorTraps(attestors, [...path, 'attestors'], { level: 'attestation', isBundle }),
  ];
}
