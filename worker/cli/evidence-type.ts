import { AppError } from '#model/errors.ts';
import { DEFAULT_PREDICATE_TYPES, EVIDENCE_TYPES, type EvidenceType } from '#model/rule.ts';

export interface RequestedType {
  readonly type: EvidenceType;
  readonly predicateType: string;
}

/** Further names of cosign's `--type` whose predicates can be verified, though not made. */
const COSIGN_ALIASES: Readonly<Record<string, string>> = {
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance02: 'https://slsa.dev/provenance/v0.2',
  link: 'https://in-toto.io/Link/v1',
  spdx: 'https://spdx.dev/Document',
  spdxjson: 'https://spdx.dev/Document',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  openvex: 'https://openvex.dev/ns',
  custom: 'https://cosign.sigstore.dev/attestation/v1',
};

/**
 * What `attest --type` asks for: cosign's alias, or a predicateType URI of the same kind (`https://cyclonedx.org/bom/v1.6`).
 * @throws AppError `usage` for what cannot be made.
 */
export function requestedType(text: string): RequestedType {
  const alias = EVIDENCE_TYPES.find((type) => type === text);
  if (alias) return { type: alias, predicateType: DEFAULT_PREDICATE_TYPES[alias] };
  const family = EVIDENCE_TYPES.find((type) => isOfFamily(text, DEFAULT_PREDICATE_TYPES[type]));
  if (family) return { type: family, predicateType: text };
  throw new AppError('usage', `--type ${text}: evidence of this type cannot be made`, {
    mend: `use ${EVIDENCE_TYPES.join(' or ')}, or a predicateType URI such as https://cyclonedx.org/bom/v1.6`,
  });
}

/** The predicateType that `verify --type` asks for: an alias of cosign's, or the URI itself. @throws AppError `usage`. */
export function predicateTypeOf(text: string): string {
  const alias = EVIDENCE_TYPES.find((type) => type === text);
  if (alias) return DEFAULT_PREDICATE_TYPES[alias];
  const known = COSIGN_ALIASES[text];
  if (known) return known;
  if (URL.canParse(text)) return text;
  throw new AppError('usage', `--type ${text}: neither a known type nor a predicateType URI`, {
    mend: `use ${[...EVIDENCE_TYPES, ...Object.keys(COSIGN_ALIASES)].join(', ')}, or a URI`,
  });
}

function isOfFamily(uri: string, base: string): boolean {
  return uri === base || uri.startsWith(`${base}/`);
}
