import { createHash } from 'node:crypto';
import { TAG } from '#crypto/der.ts';
import { derElement, derOid, derSequence, derUnsigned } from '#crypto/der-writer.ts';

const SHA256 = '2.16.840.1.101.3.4.2.1';

export interface TimestampRequest {
  readonly der: Buffer;
  /** SHA-256 of what is to be stamped. */
  readonly imprint: Buffer;
  /** Big-endian, without leading zeros, as the response must repeat it. */
  readonly nonce: Buffer;
}

/**
 * A TimeStampReq (RFC 3161, 2.4.1): version 1, SHA-256, a nonce, and the wish for the certificates of the authority,
 * without which no verifier could judge the answer.
 */
export function timestampRequest(stamped: Uint8Array, random: Uint8Array): TimestampRequest {
  const imprint = createHash('sha256').update(stamped).digest();
  // The top bit makes every nonce as long as its bytes: neither sign nor leading zero to lose on the way.
  const nonce = Buffer.from(random);
  nonce[0] = ((nonce[0] ?? 0) & 0x7f) | 0x40;
  const der = derSequence(
    derUnsigned(Buffer.from([1])),
    derSequence(derSequence(derOid(SHA256), derElement(TAG.null)), derElement(TAG.octetString, imprint)),
    derUnsigned(nonce),
    derElement(TAG.boolean, Buffer.from([0xff])),
  );
  return { der, imprint, nonce };
}
