import { createHash, type KeyObject, sign } from 'node:crypto';
import { decodeOid, derReader, TAG } from '#crypto/der.ts';
import { bits, integer, octets, oid, sequence, tlv } from './der.ts';
import { extension, generalName, type Issued, issueFrom } from './pki.ts';

const NONCE = '1.3.6.1.5.5.7.48.1.2';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const HASH_OIDS = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1', md5: '1.2.840.113549.2.5' } as const;

/** What an answer says of one certificate. */
export interface OcspSingleSpec {
  readonly issuer: Issued;
  /** INTEGER content bytes. */
  readonly serial: Uint8Array;
  readonly status?: 'good' | 'unknown' | { readonly since: Date; readonly reason?: number };
  readonly thisUpdate: Date;
  /** Absent: it does not say. */
  readonly nextUpdate?: Date;
  readonly hash?: keyof typeof HASH_OIDS;
  /** Bends the two hashes. */
  readonly otherName?: boolean;
  readonly otherKey?: boolean;
  /** DER, see `extension`. */
  readonly extensions?: readonly Uint8Array[];
}

export interface OcspSpec {
  readonly signer: Issued;
  readonly singles: readonly OcspSingleSpec[];
  /** How the signer names itself. */
  readonly by?: 'name' | 'key';
  readonly nonce?: Uint8Array | undefined;
  readonly certificates?: readonly Issued[];
  readonly extensions?: readonly Uint8Array[];
  readonly producedAt?: Date;
  /** In place of the signer's, which is then named all the same. */
  readonly key?: KeyObject;
  readonly hash?: 'sha1' | 'sha256';
}

/** An answer of a responder, in DER: signed for good, whatever it says. */
export function ocspResponse(spec: OcspSpec): Buffer {
  const { signer, singles, by = 'name', nonce, certificates = [], extensions = [], hash = 'sha256' } = spec;
  const all = [...(nonce ? [extension(NONCE, octets(nonce))] : []), ...extensions];
  const responder = by === 'name' ? tlv(0xa1, signer.name) : tlv(0xa2, octets(hashOf('sha1', keyBits(signer))));
  const data = sequence(
    responder,
    generalizedTime(spec.producedAt ?? singles[0]?.thisUpdate ?? new Date(0)),
    sequence(...singles.map(single)),
    ...(all.length > 0 ? [tlv(0xa1, sequence(...all.map((raw) => Buffer.from(raw))))] : []),
  );
  const algorithm = hash === 'sha1' ? sequence(oid('1.2.840.10045.4.1')) : ECDSA_SHA256;
  const signature = bits(sign(hash, data, spec.key ?? signer.key));
  const brought = certificates.length > 0 ? [tlv(0xa0, sequence(...certificates.map(({ der }) => der)))] : [];
  return successful(sequence(data, algorithm, signature, ...brought));
}

function successful(basic: Buffer): Buffer {
  const bytes = sequence(oid('1.3.6.1.5.5.7.48.1.1'), octets(basic));
  return sequence(tlv(0x0a, Buffer.from([0])), tlv(0xa0, bytes));
}

/** What a responder says that does not answer: OCSPResponseStatus. */
export function ocspRefusal(status: number): Buffer {
  return sequence(tlv(0x0a, Buffer.from([status])));
}

function single(spec: OcspSingleSpec): Buffer {
  const { issuer, serial, hash = 'sha1', extensions = [] } = spec;
  const name = hashOf(hash, spec.otherName ? Buffer.from('another') : issuer.name);
  const key = hashOf(hash, spec.otherKey ? Buffer.from('another') : keyBits(issuer));
  return sequence(
    sequence(sequence(oid(HASH_OIDS[hash])), octets(name), octets(key), integer(serial)),
    status(spec.status ?? 'good'),
    generalizedTime(spec.thisUpdate),
    ...(spec.nextUpdate ? [tlv(0xa0, generalizedTime(spec.nextUpdate))] : []),
    ...(extensions.length > 0 ? [tlv(0xa1, sequence(...extensions.map((raw) => Buffer.from(raw))))] : []),
  );
}

function status(given: NonNullable<OcspSingleSpec['status']>): Buffer {
  if (given === 'good') return tlv(0x80);
  if (given === 'unknown') return tlv(0x82);
  const reason = given.reason === undefined ? [] : [tlv(0xa0, tlv(0x0a, Buffer.from([given.reason])))];
  return tlv(0xa1, generalizedTime(given.since), ...reason);
}

/** A certificate that lets its holder answer for a CA. */
export function ocspDelegate(
  issuer: Issued,
  bent: Parameters<typeof issueFrom>[1] & { readonly noCheck?: boolean } = {},
): Issued {
  const { noCheck = true, ...spec } = bent;
  return issueFrom(issuer, {
    subject: 'Test Responder',
    subjectAlternativeNames: null,
    extendedKeyUsage: [OCSP_SIGNING],
    extensions: noCheck ? [extension('1.3.6.1.5.5.7.48.1.5', tlv(0x05))] : [],
    ...spec,
  });
}

/** The extension of a certificate that names its responders. */
export function respondersAt(...uris: readonly string[]): Buffer {
  const method = oid('1.3.6.1.5.5.7.48.1');
  return extension(
    '1.3.6.1.5.5.7.1.1',
    sequence(...uris.map((uri) => sequence(method, generalName({ type: 'uri', value: uri })))),
  );
}

/** The nonce of a question, as a responder reads it. */
export function requestedNonce(request: Uint8Array): Buffer | undefined {
  const tbs = derReader(request, 'request').enter(TAG.sequence).enter(TAG.sequence);
  tbs.element(TAG.sequence);
  const list = tbs.optional(0xa2);
  if (!list) return undefined;
  const wrapped = derReader(list.content, 'extensions').enter(TAG.sequence).enter(TAG.sequence);
  if (decodeOid(wrapped.element(TAG.oid).content) !== NONCE) return undefined;
  return derReader(wrapped.element(TAG.octetString).content, 'nonce').element(TAG.octetString).content;
}

export function generalizedTime(date: Date): Buffer {
  return tlv(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

function keyBits({ publicKey }: Issued): Buffer {
  const info = derReader(publicKey.export({ format: 'der', type: 'spki' }), 'key').enter(TAG.sequence);
  info.element(TAG.sequence);
  return info.element(TAG.bitString).content.subarray(1);
}

function hashOf(hash: keyof typeof HASH_OIDS, bytes: Uint8Array): Buffer {
  return createHash(hash).update(bytes).digest();
}
