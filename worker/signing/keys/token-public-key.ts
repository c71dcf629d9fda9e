import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { derReader, TAG } from '#crypto/der.ts';
import { derElement, derOid, derSequence } from '#crypto/der-writer.ts';
import type { TokenPublicKey } from '#signing/keys/token-messages.ts';

const EC_PUBLIC_KEY = '1.2.840.10045.2.1';

/** The public key that a token tells of. @throws Error when it is none. */
export function readTokenPublicKey(key: TokenPublicKey): KeyObject {
  switch (key.kind) {
    case 'certificate':
      return new X509Certificate(Buffer.from(key.der, 'base64')).publicKey;
    case 'rsa': {
      const number = (text: string) => Buffer.from(text, 'base64').toString('base64url');
      return createPublicKey({ key: { kty: 'RSA', n: number(key.modulus), e: number(key.exponent) }, format: 'jwk' });
    }
    case 'ec': {
      const algorithm = derSequence(derOid(EC_PUBLIC_KEY), Buffer.from(key.parameters, 'base64'));
      const point = derElement(TAG.bitString, Buffer.from([0]), pointBytes(Buffer.from(key.point, 'base64')));
      return createPublicKey({ key: derSequence(algorithm, point), format: 'der', type: 'spki' });
    }
  }
}

/** PKCS #11 wraps the point in an OCTET STRING; some tokens do not. */
function pointBytes(value: Buffer): Buffer {
  try {
    const reader = derReader(value, 'point');
    const { content } = reader.element(TAG.octetString);
    reader.end();
    return content;
  } catch {
    return value;
  }
}
