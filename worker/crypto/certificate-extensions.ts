import type { Certificate, CertificateExtension, PolicyExtensions } from '#crypto/certificate.ts';
import {
  assertInteger,
  contextTag,
  type DerReader,
  decodeBoolean,
  decodeNamedBits,
  decodeOid,
  decodeSmallInteger,
  derReader,
  malformed,
  TAG,
} from '#crypto/der.ts';
import { readAlternativeNames, readNameConstraints } from '#crypto/general-name.ts';

export const OID = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyId: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const;

const KEY_USAGE_BITS = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

/** The members of a certificate that its extensions fill. */
export type ExtensionFields = Pick<
  Certificate,
  | 'basicConstraints'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'subjectAlternativeNames'
  | 'nameConstraints'
  | 'policies'
  | 'subjectKeyId'
  | 'authorityKeyId'
  | 'extensions'
  | 'unknownCritical'
>;

type Draft = { -readonly [Field in keyof ExtensionFields]: ExtensionFields[Field] };

export const NO_EXTENSIONS: ExtensionFields = {
  subjectAlternativeNames: [],
  subjectKeyId: '',
  authorityKeyId: '',
  extensions: [],
  unknownCritical: [],
};

/** Reads the extensions (RFC 5280, 4.2). One that appears twice makes the certificate unreadable. */
export function readExtensions(list: DerReader): ExtensionFields {
  const draft: Draft = { ...NO_EXTENSIONS };
  const unknown: string[] = [];
  const all: CertificateExtension[] = [];
  while (list.peek() !== undefined) {
    const extension = list.enter(TAG.sequence, 'extension');
    const oid = decodeOid(extension.element(TAG.oid).content);
    const flag = extension.optional(TAG.boolean);
    const critical = flag ? decodeBoolean(flag.content, 'critical flag') : false;
    const value = extension.element(TAG.octetString).content;
    extension.end();
    if (all.some((each) => each.oid === oid)) throw malformed('extensions', `extension ${oid} appears twice`);
    all.push({ oid, critical, value });
    if (!readExtension(draft, oid, value, critical) && critical) unknown.push(oid);
  }
  draft.extensions = all;
  draft.unknownCritical = unknown;
  return draft;
}

/** Answers whether the extension was understood. */
function readExtension(draft: Draft, oid: string, value: Uint8Array, critical: boolean): boolean {
  switch (oid) {
    case OID.basicConstraints:
      draft.basicConstraints = readBasicConstraints(value);
      return true;
    case OID.keyUsage:
      draft.keyUsage = bitNames(only(value, 'keyUsage', TAG.bitString));
      return true;
    case OID.extendedKeyUsage:
      draft.extendedKeyUsage = readOids(value, 'extendedKeyUsage');
      return true;
    case OID.subjectAlternativeName:
      draft.subjectAlternativeNames = readAlternativeNames(value);
      return draft.subjectAlternativeNames.some(({ type }) => type !== 'other');
    case OID.nameConstraints:
      draft.nameConstraints = readNameConstraints(value);
      return ![...draft.nameConstraints.permitted, ...draft.nameConstraints.excluded].some(
        ({ type }) => type === 'other',
      );
    case OID.subjectKeyId:
      mustNotBeCritical(critical, 'subjectKeyIdentifier');
      draft.subjectKeyId = only(value, 'subjectKeyIdentifier', TAG.octetString).toString('hex');
      return true;
    case OID.authorityKeyId:
      mustNotBeCritical(critical, 'authorityKeyIdentifier');
      draft.authorityKeyId = readAuthorityKeyId(value);
      return true;
    case OID.authorityInfoAccess:
      mustNotBeCritical(critical, 'authorityInfoAccess');
      return true;
    case OID.crlDistributionPoints:
      return true;
    default:
      return readPolicyExtension(draft, oid, value);
  }
}

function readPolicyExtension(draft: Draft, oid: string, value: Uint8Array): boolean {
  const before: PolicyExtensions = draft.policies ?? { policies: [], mappings: false };
  switch (oid) {
    case OID.certificatePolicies:
      draft.policies = { ...before, policies: readPolicies(value) };
      return true;
    case OID.policyMappings:
      draft.policies = { ...before, mappings: true };
      return true;
    case OID.policyConstraints: {
      const explicit = derReader(value, 'policyConstraints').enter(TAG.sequence).optional(contextTag(0, 'primitive'));
      const requireExplicitPolicy = explicit && decodeSmallInteger(explicit.content, 'policyConstraints');
      draft.policies = { ...before, ...(requireExplicitPolicy === undefined ? {} : { requireExplicitPolicy }) };
      return true;
    }
    case OID.inhibitAnyPolicy: {
      const inhibitAnyPolicy = decodeSmallInteger(only(value, 'inhibitAnyPolicy', TAG.integer), 'inhibitAnyPolicy');
      draft.policies = { ...before, inhibitAnyPolicy };
      return true;
    }
    default:
      return false;
  }
}

function readBasicConstraints(value: Uint8Array): { ca: boolean; pathLength?: number } {
  const outer = derReader(value, 'basicConstraints');
  const constraints = outer.enter(TAG.sequence);
  outer.end();
  const ca = constraints.optional(TAG.boolean);
  const length = constraints.optional(TAG.integer);
  constraints.end();
  return {
    ca: ca ? decodeBoolean(ca.content, 'basicConstraints') : false,
    ...(length ? { pathLength: decodeSmallInteger(length.content, 'basicConstraints') } : {}),
  };
}

function bitNames(content: Uint8Array): string[] {
  return decodeNamedBits(content, 'keyUsage').flatMap((at) => KEY_USAGE_BITS[at] ?? []);
}

function readOids(value: Uint8Array, what: string): string[] {
  const outer = derReader(value, what);
  const list = outer.enter(TAG.sequence);
  outer.end();
  const oids: string[] = [];
  while (list.peek() !== undefined) oids.push(decodeOid(list.element(TAG.oid).content));
  return oids;
}

function readPolicies(value: Uint8Array): string[] {
  const list = derReader(value, 'certificatePolicies').enter(TAG.sequence);
  const oids: string[] = [];
  while (list.peek() !== undefined) oids.push(decodeOid(list.enter(TAG.sequence).element(TAG.oid).content));
  if (new Set(oids).size !== oids.length) throw malformed('certificatePolicies', 'a policy that appears twice');
  return oids;
}

function readAuthorityKeyId(value: Uint8Array): string {
  const identifier = derReader(value, 'authorityKeyIdentifier').enter(TAG.sequence);
  return identifier.optional(contextTag(0, 'primitive'))?.content.toString('hex') ?? '';
}

function only(value: Uint8Array, what: string, tag: number): Buffer {
  const reader = derReader(value, what);
  const { content } = reader.element(tag);
  reader.end();
  if (tag === TAG.integer) assertInteger(content, what);
  return content;
}

/** RFC 5280 forbids it for these, and Go refuses such a certificate as a whole. */
function mustNotBeCritical(critical: boolean, what: string): void {
  if (critical) throw malformed(what, 'it is marked critical, which RFC 5280 forbids');
}
