import { createHash, sign } from 'node:crypto';
import { parseCertificate } from '#crypto/parse-certificate.ts';
import { integer, octets, oid, sequence, set, tlv } from './der.ts';
import type { Issued } from './pki.ts';

const SHA256 = sequence(oid('2.16.840.1.101.3.4.2.1'));
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const TST_INFO = oid('1.2.840.113549.1.9.16.1.4');

/** How a response is made; what is left out is as an honest authority has it. */
export interface TimestampSpec {
  /** Who signs, with P-256 keys. */
  readonly signers: readonly Issued[];
  /** Certificates that come along, in this order; the signers' own when absent. */
  readonly embedded?: readonly Issued[];
  readonly time: Date;
  /** SHA-256 of what is stamped, where only that is known. */
  readonly imprint?: Buffer;
  /** Content bytes of the nonce; absent: none. */
  readonly nonce?: Buffer;
  /** Signed as signing time; absent: none is. */
  readonly signingTime?: Date;
  /** Whose certificate is signed as the one that was used (RFC 5816); `null`: none, absent: the signer's own. */
  readonly named?: Issued | null;
}

/** A granted TimeStampResp (RFC 3161, 2.4.2) over some bytes, in DER. */
export function timestampResponse(stamped: Uint8Array, spec: TimestampSpec): Buffer {
  const { signers, embedded = signers, time } = spec;
  const info = sequence(
    integer(1),
    oid('1.2.3.4'),
    sequence(SHA256, octets(spec.imprint ?? createHash('sha256').update(stamped).digest())),
    integer(7),
    tlv(0x18, Buffer.from(digits(time))),
    ...(spec.nonce ? [integer(spec.nonce)] : []),
  );
  const signedData = sequence(
    integer(3),
    set(SHA256),
    sequence(TST_INFO, tlv(0xa0, octets(info))),
    tlv(0xa0, ...embedded.map(({ der }) => der)),
    set(...signers.map((signer) => signerInfo(signer, info, spec))),
  );
  const token = sequence(oid('1.2.840.113549.1.7.2'), tlv(0xa0, signedData));
  return sequence(sequence(integer(0)), token);
}

function signerInfo(signer: Issued, info: Buffer, { signingTime, named = signer }: TimestampSpec): Buffer {
  const { der, key } = signer;
  const attributes = [
    sequence(oid('1.2.840.113549.1.9.3'), set(TST_INFO)),
    sequence(oid('1.2.840.113549.1.9.4'), set(octets(createHash('sha256').update(info).digest()))),
    ...(signingTime
      ? [sequence(oid('1.2.840.113549.1.9.5'), set(tlv(0x17, Buffer.from(digits(signingTime).slice(2)))))]
      : []),
    ...(named ? [signingCertificate(named.der)] : []),
  ].toSorted(Buffer.compare);
  return sequence(
    integer(1),
    issuerAndSerial(der),
    SHA256,
    tlv(0xa0, ...attributes),
    ECDSA_SHA256,
    octets(sign('sha256', set(...attributes), key)),
  );
}

/** SigningCertificateV2 (RFC 5035, 3): SHA-256, which is not written out, and no issuer. */
function signingCertificate(der: Buffer): Buffer {
  const identifier = sequence(octets(createHash('sha256').update(der).digest()));
  return sequence(oid('1.2.840.113549.1.9.16.2.47'), set(sequence(sequence(identifier))));
}

function issuerAndSerial(der: Buffer): Buffer {
  const { issuerDer, serialNumber } = parseCertificate(der);
  return sequence(issuerDer, integer(Buffer.from(serialNumber, 'hex')));
}

function digits(time: Date): string {
  return time
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
}
