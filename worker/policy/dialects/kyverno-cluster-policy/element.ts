import { AppError } from '#model/errors.ts';
import type { Reason } from '#model/verdict.ts';
import type { AttestationCheck } from '#policy/attestation-check.ts';
import type { AttestorSetCheck } from '#policy/attestor-set.ts';
import { compileConditions } from '#policy/conditions/condition-blocks.ts';
import { type AttestorContext, compileAttestorSet } from '#policy/dialects/kyverno-cluster-policy/attestor-check.ts';
import { emptyBundleEntry, type SigstoreRoot } from '#policy/dialects/kyverno-cluster-policy/bundle-attestor.ts';
import { compileDeny, type Deny } from '#policy/dialects/kyverno-cluster-policy/deny.ts';
import type { Attestation, ImageVerification } from '#policy/dialects/kyverno-cluster-policy/schema.ts';
import { UnsupportedClause } from '#policy/dialects/kyverno-cluster-policy/unsupported-clause.ts';
import { lacksHost } from '#policy/matching/kyverno-image.ts';
import { unsupportedReason } from '#policy/reasons.ts';
import { unsupported } from '#policy/unsupported.ts';

const VARIABLE = 'a variable outside of conditions';

/** A name that stands in an expression as it is written. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** One element of `verifyImages`, compiled. */
export interface Element {
  readonly clause: string;
  readonly imageReferences: readonly string[];
  readonly skipImageReferences: readonly string[];
  /** Patterns and repositories that name no registry. */
  readonly withoutHost: readonly Reason[];
  /** Forms in it that are not judged. When there are any, the checks are incomplete and are not used. */
  readonly unsupported: readonly Reason[];
  /** Who must have signed the image itself. */
  readonly signatures: readonly AttestorSetCheck[];
  readonly checks: readonly AttestationCheck[];
  /** Its evidence is the bundles that the registry lists, not cosign's tags. */
  readonly readsBundles: boolean;
  readonly deny?: Deny;
  readonly mutateDigest: boolean;
  readonly verifyDigest: boolean;
}

/** Compiles one element. `names` are the variables that the policy defines. */
export function compileElement(
  element: ImageVerification,
  clause: string,
  names: readonly string[],
  root: SigstoreRoot,
): Element {
  const found: Reason[] = elementForms(element, clause).map(([at, what]) => unsupportedReason(unsupported(what), at));
  const attempt = <Compiled>(at: string, compile: () => Compiled): readonly Compiled[] => {
    // What stands there before substitution is no certificate or repository that could be judged.
    if (found.some(({ message }) => message.includes(VARIABLE))) return [];
    try {
      return [compile()];
    } catch (error) {
      found.push(reasonOf(error, at));
      return [];
    }
  };
  const readsBundles = element.type === 'SigstoreBundle';
  // Kyverno passes over repository and annotations of bundles.
  const context: Omit<AttestorContext, 'level'> = readsBundles
    ? { bundles: root }
    : { repository: element.repository ?? undefined, annotations: element.annotations ?? undefined };
  const signatures = (element.attestors ?? []).flatMap((set, index) => {
    const at = `${clause}.attestors[${index}]`;
    return attempt(at, () => compileAttestorSet(set, at, { ...context, level: 'rule' }));
  });
  const checks = (element.attestations ?? []).flatMap((attestation, index) => {
    const at = `${clause}.attestations[${index}]`;
    return attempt(at, () => compileAttestation(attestation, at, context, names));
  });
  const { deny: denied, message } = element.validate ?? {};
  const at = `${clause}.validate.deny`;
  const [deny] = denied ? attempt(at, () => compileDeny(denied, at, message ?? undefined)) : [];
  // The old flat form adds its one pattern to the list.
  const imageReferences = [...(element.imageReferences ?? []), ...(element.image ? [element.image] : [])];
  return {
    clause,
    imageReferences,
    skipImageReferences: element.skipImageReferences ?? [],
    withoutHost: hostless(element, imageReferences, clause),
    unsupported: found,
    signatures,
    checks,
    readsBundles,
    ...(deny ? { deny } : {}),
    mutateDigest: element.mutateDigest ?? true,
    verifyDigest: element.verifyDigest ?? true,
  };
}

function compileAttestation(
  attestation: Attestation,
  clause: string,
  context: Omit<AttestorContext, 'level'>,
  names: readonly string[],
): AttestationCheck {
  const type = attestation.type || attestation.predicateType;
  if (!type) throw new UnsupportedClause(clause, unsupported('an attestation without a type', 'add type'));
  const attestors = attestation.attestors ?? [];
  if (attestors.length === 0 && !context.bundles) {
    const what = 'an attestation without attestors, which trusts anyone that the public instance does';
    throw new UnsupportedClause(`${clause}.attestors`, unsupported(what, 'add attestors'));
  }
  const sets =
    attestors.length === 0
      ? [{ clause, required: 1, entries: [emptyBundleEntry(`${clause}.attestors`)] }]
      : attestors.map((set, index) =>
          compileAttestorSet(set, `${clause}.attestors[${index}]`, { ...context, level: 'attestation' }),
        );
  const named = { clause, type, sets, ...(attestation.name ? { name: attestation.name } : {}) };
  const at = `${clause}.conditions`;
  if (!attestation.conditions?.length) return named;
  const blocks = attestation.conditions.map(({ any, all }) => ({
    any: any?.map(conditionOf),
    all: all?.map(conditionOf),
  }));
  try {
    return {
      ...named,
      conditions: compileConditions(
        blocks,
        at,
        names.filter((name) => !PLAIN_NAME.test(name)),
      ),
    };
  } catch (error) {
    throw error instanceof AppError ? new UnsupportedClause(at, error) : error;
  }
}

type SourceCondition = NonNullable<NonNullable<Attestation['conditions']>[number]['any']>[number];

function conditionOf({ key, operator, value, message }: SourceCondition) {
  return { key, value, operator: operator ?? undefined, message: message ?? undefined };
}

/** Forms of the element itself that are not judged: where, and what. */
function elementForms(element: ImageVerification, clause: string): readonly (readonly [string, string])[] {
  const { type, attestors } = element;
  const forms: (readonly [string, string])[] = [];
  if (type === 'Notary') forms.push([`${clause}.type`, `the type ${type}`]);
  if (attestors?.length && element.cosignOCI11 && type !== 'SigstoreBundle')
    forms.push([`${clause}.cosignOCI11`, 'signatures as OCI 1.1 referrers']);
  for (const field of ['key', 'issuer', 'subject', 'roots'] as const) {
    if (element[field]) forms.push([`${clause}.${field}`, `the old flat form (${field})`]);
  }
  const variable = variableIn({
    ...element,
    imageReferences: [],
    validate: undefined,
    attestations: withoutConditions(element),
  });
  if (variable !== undefined) forms.push([`${clause}${variable}`, VARIABLE]);
  return forms;
}

function withoutConditions(element: ImageVerification): unknown {
  return element.attestations?.map((attestation) => ({ ...attestation, conditions: undefined }));
}

/** The path of the first text that Kyverno would substitute. */
function variableIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value.includes('{{') || value.includes('$(') ? '' : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const below = variableIn(member);
    if (below !== undefined) return `${Array.isArray(value) ? `[${name}]` : `.${name}`}${below}`;
  }
  return undefined;
}

function hostless(element: ImageVerification, references: readonly string[], clause: string): readonly Reason[] {
  const reasons = references.flatMap((reference, index) => {
    if (!lacksHost(reference)) return [];
    const own = index < (element.imageReferences?.length ?? 0);
    const what = own ? 'the imageReferences pattern' : 'the image pattern';
    return [withoutHost(`${clause}.${own ? `imageReferences[${index}]` : 'image'}`, what, reference)];
  });
  const { repository } = element;
  return repository && element.type !== 'SigstoreBundle' && lacksHost(repository)
    ? [...reasons, withoutHost(`${clause}.repository`, 'the repository', repository)]
    : reasons;
}

function withoutHost(clause: string, what: string, found: string): Reason {
  return {
    code: 'reference-without-host',
    message: `${what} ${JSON.stringify(found.slice(0, 200))} names no registry host, so Kyverno takes it for Docker Hub's`,
    clause,
    found: found.slice(0, 200),
    next: `write the registry in front: registry.example.com/${found.slice(0, 200)}`,
  };
}

function reasonOf(error: unknown, clause: string): Reason {
  if (error instanceof UnsupportedClause) return unsupportedReason(error.reason, error.clause);
  if (error instanceof AppError) return unsupportedReason(error, clause);
  throw error;
}
