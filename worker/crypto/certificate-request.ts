import { type KeyObject, verify } from 'node:crypto';
import { TAG } from '#crypto/der.ts';
import { derElement, derOid, derSequence, derUnsigned } from '#crypto/der-writer.ts';
import { describeKey, keyKind } from '#crypto/key-kind.ts';
import { CODE_SIGNING } from '#crypto/path-rules.ts';
import { writePem } from '#crypto/pem.ts';
import { AppError } from '#model/errors.ts';

/** One attribute of a subject, e.g. `CN` and its value. */
export interface SubjectAttribute {
  readonly type: keyof typeof ATTRIBUTES;
  readonly value: string;
}

export interface RequestedName {
  readonly type: 'uri' | 'email';
  readonly value: string;
}

export interface CertificateWish {
  /** Least specific first, as it is encoded. */
  readonly subject: readonly SubjectAttribute[];
  readonly names: readonly RequestedName[];
}

const ATTRIBUTES = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
} as const;

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const OID = {
  subjectAlternativeName: '2.5.29.17',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
};
const TRUE = derElement(TAG.boolean, Buffer.from([0xff]));
/** digitalSignature alone: the first bit, seven unused. */
const DIGITAL_SIGNATURE = derElement(TAG.bitString, Buffer.from([7, 0x80]));

/**
 * A certification request (PKCS #10, RFC 2986) that asks for exactly what a signing certificate must have (interop G.1):
 * the names of the signer, code signing, digitalSignature, no CA.
 * @throws AppError `key-mismatch` when what `sign` answers is not by the key; what `sign` throws.
 */
export async function makeCertificateRequest(
  wish: CertificateWish,
  publicKey: KeyObject,
  sign: (data: Uint8Array) => Promise<Uint8Array>,
): Promise<string> {
  const info = derSequence(
    derUnsigned(Buffer.from([0])),
    derSequence(...wish.subject.map(attribute)),
    publicKey.export({ type: 'spki', format: 'der' }),
    // attributes [0] IMPLICIT SET OF
    derElement(0xa0, derSequence(derOid(EXTENSION_REQUEST), derElement(TAG.set, derSequence(...extensions(wish))))),
  );
  const signature = await sign(info);
  const digest = publicKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  if (!verify(digest, info, publicKey, signature)) {
    throw new AppError('key-mismatch', 'the signature of the request is not by its own key');
  }
  const bits = derElement(TAG.bitString, Buffer.from([0]), signature);
  return writePem('CERTIFICATE REQUEST', derSequence(info, signatureAlgorithm(publicKey), bits));
}

function attribute({ type, value }: SubjectAttribute): Buffer {
  // Countries are PrintableString by RFC 5280, appendix A.1.
  const tag = type === 'C' ? TAG.printableString : TAG.utf8String;
  return derElement(TAG.set, derSequence(derOid(ATTRIBUTES[type]), derElement(tag, Buffer.from(value, 'utf8'))));
}

function extensions({ names, subject }: CertificateWish): readonly Buffer[] {
  const general = names.map(({ type, value }) =>
    derElement(type === 'email' ? 0x81 : 0x86, Buffer.from(value, 'latin1')),
  );
  return [
    extension(OID.basicConstraints, derSequence(), true),
    extension(OID.keyUsage, DIGITAL_SIGNATURE, true),
    extension(OID.extendedKeyUsage, derSequence(derOid(CODE_SIGNING)), false),
    // Critical where there is no other name (RFC 5280, 4.2.1.6).
    extension(OID.subjectAlternativeName, derSequence(...general), subject.length === 0),
  ];
}

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return derSequence(derOid(id), ...(critical ? [TRUE] : []), derElement(TAG.octetString, value));
}

function signatureAlgorithm(key: KeyObject): Buffer {
  const kind = keyKind(key);
  switch (kind.type) {
    case 'ecdsa':
      return derSequence(derOid('1.2.840.10045.4.3.2'));
    case 'rsa':
      return derSequence(derOid('1.2.840.113549.1.1.11'), derElement(TAG.null));
    case 'ed25519':
      return derSequence(derOid('1.3.101.112'));
    case 'other':
      throw new AppError('key-unreadable', `no request is made for keys of the kind ${describeKey(kind)}`);
  }
}

const LONGEST = { CN: 64, C: 2, L: 128, ST: 128, O: 64, OU: 64 } as const;

/** Reads a subject such as `CN=release,O=Example`; a backslash takes a comma as it is. The complaint, or the parts. */
export function readSubject(text: string): readonly SubjectAttribute[] | string {
  const parts: SubjectAttribute[] = [];
  for (const part of text.split(/(?<!\\),/)) {
    const [, type = '', raw = ''] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    const value = raw.replaceAll('\\,', ',');
    if (!Object.hasOwn(ATTRIBUTES, type))
      return `"${part.trim().slice(0, 40)}" is none of ${Object.keys(ATTRIBUTES).join(', ')}`;
    const known = type as SubjectAttribute['type'];
    if (value === '' || value.length > LONGEST[known]) return `${type} has 1 to ${LONGEST[known]} characters`;
    if (/\p{Cc}/u.test(value) || (known === 'C' && !/^[A-Z]{2}$/.test(value))) return `${type} is malformed`;
    // The text has the most specific part first (RFC 4514), the encoding last.
    parts.unshift({ type: known, value });
  }
  return parts;
}

/** Why a name cannot stand in a certificate; undefined when it can. */
export function nameComplaint({ type, value }: RequestedName): string | undefined {
  if (!/^[\x21-\x7e]{1,255}$/.test(value)) return 'a name has 1 to 255 printable ASCII characters and no spaces';
  if (type === 'uri' && !/^[a-z][a-z0-9+.-]*:[^:]/i.test(value)) return `"${value}" is no absolute URI`;
  if (type === 'email' && !/^[^@]+@[^@]+$/.test(value)) return `"${value}" is no e-mail address`;
  return undefined;
}
