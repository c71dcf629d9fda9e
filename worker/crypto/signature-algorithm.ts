import {
  contextTag,
  type DerElement,
  type DerReader,
  decodeOid,
  decodeSmallInteger,
  derReader,
  TAG,
} from '#crypto/der.ts';

interface SignatureAlgorithm {
  readonly key: 'rsa' | 'ec' | 'ed25519';
  /** MD5 and SHA-1 can be forged: nothing that is signed with them is believed. */
  readonly weak: boolean;
}

/** How certificates may be signed, by name. What is not here cannot be verified. */
export const SIGNATURE_ALGORITHMS: Readonly<Record<string, SignatureAlgorithm>> = {
  'md5-rsa': { key: 'rsa', weak: true },
  'sha1-rsa': { key: 'rsa', weak: true },
  'sha256-rsa': { key: 'rsa', weak: false },
  'sha384-rsa': { key: 'rsa', weak: false },
  'sha512-rsa': { key: 'rsa', weak: false },
  'sha256-rsa-pss': { key: 'rsa', weak: false },
  'sha384-rsa-pss': { key: 'rsa', weak: false },
  'sha512-rsa-pss': { key: 'rsa', weak: false },
  'sha1-ecdsa': { key: 'ec', weak: true },
  'sha256-ecdsa': { key: 'ec', weak: false },
  'sha384-ecdsa': { key: 'ec', weak: false },
  'sha512-ecdsa': { key: 'ec', weak: false },
  ed25519: { key: 'ed25519', weak: false },
};

const NAMES: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'md5-rsa',
  '1.2.840.113549.1.1.5': 'sha1-rsa',
  '1.3.14.3.2.29': 'sha1-rsa',
  '1.2.840.113549.1.1.11': 'sha256-rsa',
  '1.2.840.113549.1.1.12': 'sha384-rsa',
  '1.2.840.113549.1.1.13': 'sha512-rsa',
  '1.2.840.10045.4.1': 'sha1-ecdsa',
  '1.2.840.10045.4.3.2': 'sha256-ecdsa',
  '1.2.840.10045.4.3.3': 'sha384-ecdsa',
  '1.2.840.10045.4.3.4': 'sha512-ecdsa',
  '1.3.101.112': 'ed25519',
};

const RSA_PSS = '1.2.840.113549.1.1.10';
const MGF1 = '1.2.840.113549.1.1.8';
/** Hash, and the salt length that goes with it. */
const PSS_HASHES: Readonly<Record<string, readonly [string, number]>> = {
  '2.16.840.1.101.3.4.2.1': ['sha256-rsa-pss', 32],
  '2.16.840.1.101.3.4.2.2': ['sha384-rsa-pss', 48],
  '2.16.840.1.101.3.4.2.3': ['sha512-rsa-pss', 64],
};

/** The name of an AlgorithmIdentifier of a signature; its OID when it is none that we know. */
export function readSignatureAlgorithm(element: DerElement): string {
  const identifier = derReader(element.content, 'signature algorithm');
  const oid = decodeOid(identifier.element(TAG.oid).content);
  if (oid === RSA_PSS) return pssName(identifier) ?? oid;
  // RFC 8410, 3: the parameters of Ed25519 are absent.
  if (oid === '1.3.101.112' && identifier.peek() !== undefined) return oid;
  return NAMES[oid] ?? oid;
}

/**
 * RSA-PSS has parameters for everything (RFC 4055, 3.1). Only the three sound sets are known: SHA-2, the same hash in
 * MGF1, a salt as long as the hash.
 */
function pssName(identifier: DerReader): string | undefined {
  if (identifier.peek() !== TAG.sequence) return undefined;
  const parameters = identifier.enter(TAG.sequence, 'RSA-PSS parameters');
  if (parameters.peek() !== contextTag(0, 'constructed')) return undefined;
  const hash = hashOid(parameters.enter(contextTag(0, 'constructed')));
  if (parameters.peek() !== contextTag(1, 'constructed')) return undefined;
  const mask = parameters.enter(contextTag(1, 'constructed')).enter(TAG.sequence);
  if (decodeOid(mask.element(TAG.oid).content) !== MGF1 || hashOid(mask) !== hash) return undefined;
  if (parameters.peek() !== contextTag(2, 'constructed')) return undefined;
  const salt = parameters.enter(contextTag(2, 'constructed')).element(TAG.integer).content;
  const [name, saltLength] = PSS_HASHES[hash] ?? [];
  if (parameters.peek() !== undefined) return undefined;
  return decodeSmallInteger(salt, 'RSA-PSS salt') === saltLength ? name : undefined;
}

function hashOid(reader: DerReader): string {
  return decodeOid(reader.enter(TAG.sequence).element(TAG.oid).content);
}
