import type { EvidenceLayout } from '#model/evidence.ts';
import { COSIGN_VULN, CYCLONEDX, OPENVEX, SLSA_PROVENANCE_V1, SLSA_PROVENANCE_V02, SPDX } from '#model/media-types.ts';
import type { Verifier } from '#model/verifier.ts';
import { yamlDocuments } from '#policy/yaml-documents.ts';

/** One thing that a policy asks its verifier for. */
export interface PolicyAsk {
  /** `ClusterPolicy/name`. */
  readonly policy: string;
  readonly verifier: Verifier;
  /** The exact predicateType; absent: a signature of the image itself. */
  readonly predicateType?: string;
  /** The layout that the policy tells its verifier to read. */
  readonly only?: EvidenceLayout;
}

/** cosign's names of predicateTypes, which ClusterImagePolicy may write (interop D.1). */
const ALIASES: Readonly<Record<string, string>> = {
  cyclonedx: CYCLONEDX,
  spdx: SPDX,
  spdxjson: SPDX,
  slsaprovenance: SLSA_PROVENANCE_V02,
  slsaprovenance02: SLSA_PROVENANCE_V02,
  slsaprovenance1: SLSA_PROVENANCE_V1,
  vuln: COSIGN_VULN,
  openvex: OPENVEX,
};

/**
 * What the policies of a file ask for, and of which verifier; also of kinds that are not judged here. Nothing is said of
 * what is malformed: compiling the policy tells that.
 */
export function policyAsks(text: string): readonly PolicyAsk[] {
  return yamlDocuments(text).flatMap(({ content }) => (content.ok ? asksOf(content.value) : []));
}

function asksOf(document: unknown): readonly PolicyAsk[] {
  const kind = at(document, 'kind');
  const spec = at(document, 'spec');
  const policy = `${String(kind)}/${String(at(document, 'metadata', 'name'))}`.slice(0, 200);
  const named = (asks: readonly Omit<PolicyAsk, 'policy'>[]) => asks.map((ask) => ({ policy, ...ask }));
  switch (kind) {
    case 'ClusterPolicy':
    case 'Policy':
      return named(list(at(spec, 'rules')).flatMap((rule) => list(at(rule, 'verifyImages')).flatMap(elementAsks)));
    case 'ImageValidatingPolicy':
    case 'NamespacedImageValidatingPolicy':
      return named(imageValidatingAsks(spec));
    case 'ClusterImagePolicy':
      return named(list(at(spec, 'authorities')).flatMap(authorityAsks));
    default:
      return [];
  }
}

function elementAsks(element: unknown): readonly Omit<PolicyAsk, 'policy'>[] {
  const type = at(element, 'type') ?? 'Cosign';
  if (type !== 'Cosign' && type !== 'SigstoreBundle') return [];
  const verifier = type === 'Cosign' ? 'kyverno-cosign' : 'kyverno-bundle';
  const types = list(at(element, 'attestations')).map((entry) => at(entry, 'type') ?? at(entry, 'predicateType'));
  const image = list(at(element, 'attestors')).length > 0 ? [{ verifier } as const] : [];
  return [...image, ...texts(types).map((predicateType) => ({ verifier, predicateType }) as const)];
}

function imageValidatingAsks(spec: unknown): readonly Omit<PolicyAsk, 'policy'>[] {
  const verifier = 'kyverno-ivp';
  const types = list(at(spec, 'attestations')).map((entry) => at(entry, 'intoto', 'type'));
  const expressions = [...list(at(spec, 'validations')), ...list(at(spec, 'variables'))];
  const signed = texts(expressions.map((each) => at(each, 'expression'))).some((expression) =>
    expression.includes('verifyImageSignatures'),
  );
  return [
    ...(signed ? [{ verifier } as const] : []),
    ...texts(types).map((predicateType) => ({ verifier, predicateType }) as const),
  ];
}

function authorityAsks(authority: unknown): readonly Omit<PolicyAsk, 'policy'>[] {
  if (at(authority, 'static') !== undefined) return [];
  const only = at(authority, 'signatureFormat') === 'bundle' ? 'bundle' : 'cosign-tag';
  const ask = { verifier: 'policy-controller', only } as const;
  const types = texts(list(at(authority, 'attestations')).map((entry) => at(entry, 'predicateType')));
  if (types.length === 0) return [ask];
  return types.map((type) => ({
    ...ask,
    predicateType: Object.hasOwn(ALIASES, type) ? (ALIASES[type] ?? type) : type,
  }));
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, name) =>
      typeof found === 'object' && found !== null && Object.hasOwn(found, name) ? Reflect.get(found, name) : undefined,
    value,
  );
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(values: readonly unknown[]): readonly string[] {
  return values.filter((value) => typeof value === 'string');
}
