import {
  COSIGN_CUSTOM,
  COSIGN_SIGN,
  COSIGN_VULN,
  CYCLONEDX,
  IN_TOTO_LINK,
  OPENVEX,
  SLSA_PROVENANCE_V1,
  SLSA_PROVENANCE_V02,
  SLSA_VSA_V1,
  SPDX,
  TEST_RESULT,
  VULNS_V01,
} from '#model/media-types.ts';

/**
 * Kinds of evidence that this program makes itself, by cosign's `--type` names where it has one. `signature` is one of
 * the image itself.
 */
export const MADE_TYPES = ['cyclonedx', 'spdxjson', 'slsaprovenance1', 'vsa', 'signature'] as const;
export type MadeType = (typeof MADE_TYPES)[number];

/**
 * Kinds that a person or a pipeline hands in, and that are checked and signed as they are. `custom` stands for every
 * predicateType that has no name here.
 */
export const GIVEN_TYPES = ['vuln', 'vulns', 'test-result', 'openvex', 'link', 'custom'] as const;
export type GivenType = (typeof GIVEN_TYPES)[number];

export const EVIDENCE_TYPES = [...MADE_TYPES, ...GIVEN_TYPES] as const;
export type EvidenceType = MadeType | GivenType;

/** What each name stands for on the wire; cosign's `openvex` is the namespace without a version. */
export const DEFAULT_PREDICATE_TYPES: Readonly<Record<EvidenceType, string>> = {
  cyclonedx: CYCLONEDX,
  spdxjson: SPDX,
  slsaprovenance1: SLSA_PROVENANCE_V1,
  vsa: SLSA_VSA_V1,
  signature: COSIGN_SIGN,
  vuln: COSIGN_VULN,
  vulns: VULNS_V01,
  'test-result': TEST_RESULT,
  openvex: OPENVEX,
  link: IN_TOTO_LINK,
  custom: COSIGN_CUSTOM,
};

export function isMadeType(type: EvidenceType): type is MadeType {
  return MADE_TYPES.some((made) => made === type);
}

/** Further names that cosign's `--type` has. */
const COSIGN_NAMES: Readonly<Record<string, string>> = {
  slsaprovenance: SLSA_PROVENANCE_V02,
  slsaprovenance02: SLSA_PROVENANCE_V02,
  spdx: SPDX,
};

/** Every name that stands for a predicateType. */
export const TYPE_NAMES: readonly string[] = [...EVIDENCE_TYPES, ...Object.keys(COSIGN_NAMES)];

/** The predicateType that a name or an absolute URI means; undefined when it is neither. */
export function predicateTypeNamed(text: string): string | undefined {
  const type = EVIDENCE_TYPES.find((known) => known === text);
  if (type) return DEFAULT_PREDICATE_TYPES[type];
  if (Object.hasOwn(COSIGN_NAMES, text)) return COSIGN_NAMES[text];
  return /^[a-z][a-z0-9+.-]*:[^\s]+$/i.test(text) && text.length <= 2048 ? text : undefined;
}

/** What the predicateTypes of a kind begin with, whatever their version. */
const FAMILIES: Readonly<Record<Exclude<GivenType, 'custom'>, readonly string[]>> = {
  vuln: ['https://cosign.sigstore.dev/attestation/vuln'],
  vulns: ['https://in-toto.io/attestation/vulns'],
  'test-result': ['https://in-toto.io/attestation/test-result'],
  openvex: [OPENVEX],
  link: ['https://in-toto.io/Link', 'https://in-toto.io/attestation/link'],
};

/** The kind of what is handed in under a predicateType. */
export function givenTypeOf(predicateType: string): GivenType {
  const known = GIVEN_TYPES.find(
    (type) => type !== 'custom' && FAMILIES[type].some((base) => isOfFamily(predicateType, base)),
  );
  return known ?? 'custom';
}

/** `base`, or a version of it: `https://openvex.dev/ns/v0.2.0` is of the family `https://openvex.dev/ns`. */
export function isOfFamily(predicateType: string, base: string): boolean {
  return predicateType === base || predicateType.startsWith(`${base}/`);
}
