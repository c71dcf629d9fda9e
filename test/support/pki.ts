import { constants, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { bits, boolean, integer, namedBits, octets, oid, sequence, set, time, tlv, utf8 } from './der.ts';

export type KeyKind = 'p256' | 'p384' | 'p521' | 'p224' | 'rsa1024' | 'rsa2048' | 'rsa3072' | 'ed25519';

export type Name = { readonly type: 'uri' | 'email' | 'dns'; readonly value: string };

/** What a certificate holds. Every member has a sound default for its place; `null` leaves an extension out. */
export interface CertificateSpec {
  readonly subject?: string;
  readonly keyKind?: KeyKind;
  readonly key?: KeyObject;
  /** The key that is certified, when its private half is somebody else's. */
  readonly publicKey?: KeyObject;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength?: number } | null;
  /** Bit names of RFC 5280 4.2.1.3. */
  readonly keyUsage?: readonly (keyof typeof KEY_USAGE)[] | null;
  /** OIDs; see `EKU`. */
  readonly extendedKeyUsage?: readonly string[] | null;
  readonly subjectAlternativeNames?: readonly Name[] | null;
  readonly sanCritical?: boolean;
  /** DER extensions, see `extension`; added last. */
  readonly extensions?: readonly Uint8Array[];
  readonly hash?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  /** INTEGER content bytes. */
  readonly serial?: Uint8Array;
  /** 1 leaves all extensions out. */
  readonly version?: 1 | 3;
  /** The signature algorithm that the inside names, when it is to differ from the outside. */
  readonly innerHash?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  /** DER of the subject name, instead of `subject`. */
  readonly nameDer?: Buffer;
  /** DER of the two times, instead of `notBefore` and `notAfter`. */
  readonly validityDer?: Buffer;
  /** An RSA issuer signs with RSA-PSS and a salt of this many bytes. */
  readonly pssSalt?: number;
}

export interface Issued {
  readonly der: Buffer;
  readonly pem: string;
  readonly key: KeyObject;
  /** PKCS#8. */
  readonly keyPem: string;
  readonly publicKey: KeyObject;
  /** DER of the subject name. */
  readonly name: Buffer;
}

export interface Pki {
  readonly root: Issued;
  /** The issuer of the leaf first. */
  readonly intermediates: readonly Issued[];
  /** The issuer of the leaf; the root when there are no intermediates. */
  readonly intermediate: Issued;
  readonly leaf: Issued;
  /** PEM of intermediates then root. */
  readonly chainPem: string;
}

export const EKU = {
  codeSigning: '1.3.6.1.5.5.7.3.3',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  any: '2.5.29.37.0',
} as const;

const KEY_USAGE = {
  digitalSignature: 0,
  nonRepudiation: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
} as const;

const NOT_BEFORE = new Date('2020-01-01T00:00:00Z');
const NOT_AFTER = new Date('2045-01-01T00:00:00Z');

/**
 * A working CA of root, intermediate and code signing leaf, valid from 2020 to 2045; each may be bent by its spec.
 * `intermediates` are listed from the root down; an empty list makes the root issue the leaf.
 */
export function makePki(
  specs: {
    readonly root?: CertificateSpec;
    readonly intermediates?: readonly CertificateSpec[];
    readonly leaf?: CertificateSpec;
  } = {},
): Pki {
  const root = selfSigned({ subject: 'Test Root', ...caDefaults(), ...specs.root });
  const intermediates: Issued[] = [];
  for (const [index, spec] of (specs.intermediates ?? [{}]).entries()) {
    const issuer = intermediates[0] ?? root;
    intermediates.unshift(issueFrom(issuer, { subject: `Test Intermediate ${index + 1}`, ...caDefaults(), ...spec }));
  }
  const intermediate = intermediates[0] ?? root;
  const leaf = issueFrom(intermediate, specs.leaf ?? {});
  const chainPem = [...intermediates, root].map((certificate) => certificate.pem).join('');
  return { root, intermediates, intermediate, leaf, chainPem };
}

/** The defaults of a CA certificate, for `selfSigned` and `issueFrom`. */
export function caDefaults(): CertificateSpec {
  return {
    basicConstraints: { ca: true },
    keyUsage: ['keyCertSign', 'cRLSign'],
    extendedKeyUsage: null,
    subjectAlternativeNames: null,
  };
}

export function selfSigned(spec: CertificateSpec): Issued {
  const key = spec.key ?? makeKey(spec.keyKind);
  return build(spec, key, { name: subjectName(spec), key });
}

export function issueFrom(issuer: Pick<Issued, 'name' | 'key'>, spec: CertificateSpec = {}): Issued {
  return build(spec, spec.key ?? makeKey(spec.keyKind), issuer);
}

export function makeKey(kind: KeyKind = 'p256'): KeyObject {
  switch (kind) {
    case 'p224':
      return generateKeyPairSync('ec', { namedCurve: 'secp224r1' }).privateKey;
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey;
    case 'p521':
      return generateKeyPairSync('ec', { namedCurve: 'secp521r1' }).privateKey;
    case 'rsa1024':
      return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    case 'rsa2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    case 'rsa3072':
      return generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
  }
}

export function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
}

/** nameConstraints with URI hosts and e-mail domains. */
export function nameConstraints(limits: { permitted?: readonly Name[]; excluded?: readonly Name[] }): Buffer {
  const subtrees = (tag: number, names: readonly Name[] | undefined) =>
    names ? [tlv(tag, ...names.map((name) => sequence(generalName(name))))] : [];
  return extension(
    '2.5.29.30',
    sequence(...subtrees(0xa0, limits.permitted), ...subtrees(0xa1, limits.excluded)),
    true,
  );
}

export function pemOf(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

let serials = 0;

function build(spec: CertificateSpec, key: KeyObject, issuer: Pick<Issued, 'name' | 'key'>): Issued {
  const publicKey = spec.publicKey ?? createPublicKey(key);
  const name = subjectName(spec);
  const hash = spec.hash ?? 'sha256';
  serials += 1;
  const tbs = sequence(
    ...(spec.version === 1 ? [] : [tlv(0xa0, integer(2))]),
    integer(spec.serial ?? serials),
    signatureAlgorithm(issuer.key, spec.innerHash ?? hash, spec.pssSalt),
    issuer.name,
    spec.validityDer ?? sequence(time(spec.notBefore ?? NOT_BEFORE), time(spec.notAfter ?? NOT_AFTER)),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    ...(spec.version === 1 ? [] : [tlv(0xa3, sequence(...extensions(spec)))]),
  );
  const signature = signTbs(tbs, issuer.key, hash, spec.pssSalt);
  const der = sequence(tbs, signatureAlgorithm(issuer.key, hash, spec.pssSalt), bits(signature));
  const keyPem = key.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { der, pem: pemOf(der), key, keyPem, publicKey, name };
}

function extensions(spec: CertificateSpec): Buffer[] {
  const list: Buffer[] = [];
  const constraints = spec.basicConstraints === undefined ? { ca: false } : spec.basicConstraints;
  if (constraints) {
    const pathLength = constraints.pathLength === undefined ? [] : [integer(constraints.pathLength)];
    const value = sequence(...(constraints.ca ? [boolean(true)] : []), ...pathLength);
    list.push(extension('2.5.29.19', value, true));
  }
  const usage = spec.keyUsage === undefined ? (['digitalSignature'] as const) : spec.keyUsage;
  if (usage) list.push(extension('2.5.29.15', namedBits(usage.map((bit) => KEY_USAGE[bit])), true));
  const extended = spec.extendedKeyUsage === undefined ? [EKU.codeSigning] : spec.extendedKeyUsage;
  if (extended) list.push(extension('2.5.29.37', sequence(...extended.map(oid))));
  const names =
    spec.subjectAlternativeNames === undefined
      ? [{ type: 'uri', value: 'https://attestry.test/builder' } as const]
      : spec.subjectAlternativeNames;
  if (names) list.push(extension('2.5.29.17', sequence(...names.map(generalName)), spec.sanCritical));
  return [...list, ...(spec.extensions ?? []).map((raw) => Buffer.from(raw))];
}

const GENERAL_NAME_TAG = { email: 0x81, dns: 0x82, uri: 0x86 } as const;

export function generalName(name: Name): Buffer {
  return tlv(GENERAL_NAME_TAG[name.type], Buffer.from(name.value));
}

function subjectName(spec: CertificateSpec): Buffer {
  if (spec.nameDer) return spec.nameDer;
  const text = spec.subject ?? 'Test Signer';
  return text === '' ? sequence() : sequence(set(sequence(oid('2.5.4.3'), utf8(text))));
}

const ECDSA = {
  sha1: '1.2.840.10045.4.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
};
const RSA = {
  sha1: '1.2.840.113549.1.1.5',
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
};

const PSS_HASH = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

type Hash = keyof typeof PSS_HASH;

function signTbs(tbs: Buffer, key: KeyObject, hash: Hash, pssSalt: number | undefined): Buffer {
  if (key.asymmetricKeyType === 'ed25519') return sign(null, tbs, key);
  if (pssSalt === undefined) return sign(hash, tbs, key);
  return sign(hash, tbs, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: pssSalt });
}

function signatureAlgorithm(key: KeyObject, hash: Hash, pssSalt: number | undefined): Buffer {
  if (key.asymmetricKeyType === 'ed25519') return sequence(oid('1.3.101.112'));
  if (key.asymmetricKeyType !== 'rsa') return sequence(oid(ECDSA[hash]));
  if (pssSalt === undefined) return sequence(oid(RSA[hash]), tlv(0x05));
  const algorithm = sequence(oid(PSS_HASH[hash]), tlv(0x05));
  const mask = sequence(oid('1.2.840.113549.1.1.8'), algorithm);
  const parameters = sequence(tlv(0xa0, algorithm), tlv(0xa1, mask), tlv(0xa2, integer(pssSalt)));
  return sequence(oid('1.2.840.113549.1.1.10'), parameters);
}
