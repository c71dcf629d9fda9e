import type { Path, Trap } from '#policy/lint/finding.ts';
import { expressionTraps } from '#policy/lint/identity-traps.ts';
import { listOf, member, textOf } from '#policy/lint/members.ts';
import { rawGlobTraps, referenceTraps } from '#policy/lint/reference-traps.ts';
import { builderTraps, typeTraps } from '#policy/lint/type-traps.ts';

/** Traps of Kyverno's ImageValidatingPolicy, and of its form for one namespace (interop B.12). */
export function imageValidatingTraps(document: unknown): readonly Trap[] {
  const spec = member(document, 'spec');
  const looked = [member(spec, 'validations'), member(spec, 'variables')];
  const version = textOf(member(document, 'apiVersion'));
  const isOld = version.endsWith('/v1alpha1');
  return [
    ...(isOld
      ? [
          {
            code: 'deprecated-kind',
            path: ['apiVersion'],
            found: version,
            mend: 'write policies.kyverno.io/v1',
          } as const,
        ]
      : []),
    ...rawGlobTraps(
      listOf(member(spec, 'matchImageReferences')).map((each) => textOf(member(each, 'glob'))),
      (index) => ['spec', 'matchImageReferences', index, 'glob'],
    ),
    ...listOf(member(spec, 'attestors')).flatMap((attestor, index) =>
      listOf(member(attestor, 'cosign', 'keyless', 'identities')).flatMap((identity, at) =>
        expressionTraps(identity, ['spec', 'attestors', index, 'cosign', 'keyless', 'identities', at]),
      ),
    ),
    ...listOf(member(spec, 'attestations')).flatMap((attestation, index) => {
      const type = textOf(member(attestation, 'intoto', 'type'));
      const path = ['spec', 'attestations', index, 'intoto', 'type'];
      return [...typeTraps(type, path), ...builderTraps(type, looked, path)];
    }),
  ];
}

/** Traps of policy-controller's ClusterImagePolicy (interop C). */
export function clusterImageTraps(document: unknown): readonly Trap[] {
  return [
    ...listOf(member(document, 'spec', 'images')).flatMap((image, index) =>
      referenceTraps([textOf(member(image, 'glob'))], [])
        .filter(({ code }) => code === 'reference-without-host')
        .map((trap) => ({ ...trap, path: ['spec', 'images', index, 'glob'] })),
    ),
    ...listOf(member(document, 'spec', 'authorities')).flatMap((authority, index) =>
      authorityTraps(authority, ['spec', 'authorities', index], document),
    ),
  ];
}

function authorityTraps(authority: unknown, path: Path, document: unknown): readonly Trap[] {
  const passes = textOf(member(authority, 'static', 'action')) === 'pass';
  return [
    ...(passes ? [{ code: 'static-pass', path: [...path, 'static', 'action'] } as const] : []),
    ...listOf(member(authority, 'keyless', 'identities')).flatMap((identity, at) =>
      expressionTraps(identity, [...path, 'keyless', 'identities', at]),
    ),
    ...listOf(member(authority, 'attestations')).flatMap((attestation, at) => {
      const type = textOf(member(attestation, 'predicateType'));
      const named = [...path, 'attestations', at, 'predicateType'];
      const looked = [member(attestation, 'policy'), member(document, 'spec', 'policy')];
      return [...typeTraps(type, named), ...builderTraps(type, looked, named)];
    }),
  ];
}
