import { constants, type KeyObject, sign } from 'node:crypto';

/** Signs as every reader expects (interop F.6): SHA-256 with ECDSA in DER or RSA PKCS #1 v1.5, or pure Ed25519. */
export function signBytes(key: KeyObject, data: Uint8Array): Buffer {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return sign(null, data, key);
    case 'rsa':
      return sign('sha256', data, { key, padding: constants.RSA_PKCS1_PADDING });
    default:
      return sign('sha256', data, { key, dsaEncoding: 'der' });
  }
}
