import { constants, type KeyObject, verify } from 'node:crypto';
import { keyKind } from '#crypto/key-kind.ts';
import { SIGNATURE_ALGORITHMS } from '#crypto/signature-algorithm.ts';

/**
 * Why a key did not make a signature of this algorithm over these bytes, in words; undefined when it did. What can be
 * forged is refused before the signature is looked at.
 * @param name of `SIGNATURE_ALGORITHMS`
 */
export function namedSignatureProblem(
  name: string,
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): string | undefined {
  const algorithm = SIGNATURE_ALGORITHMS[name];
  if (!algorithm) return `it is signed with ${name}, which is not known`;
  if (algorithm.weak) return `it is signed with ${name}, which can be forged`;
  if (key.asymmetricKeyType !== algorithm.key) return `it is signed with ${name}, which is not of its issuer's key`;
  const kind = keyKind(key);
  if (kind.type === 'other') return `the key of its issuer is of the kind ${kind.name}`;
  if (kind.type === 'rsa' && kind.bits < 2048) return `the RSA key of its issuer has ${kind.bits} bits`;
  const [hash = ''] = name.split('-');
  const verified =
    algorithm.key === 'ed25519'
      ? verify(null, data, key, signature)
      : verify(hash, data, algorithm.key === 'ec' ? { key, dsaEncoding: 'der' } : rsaKey(name, key), signature);
  return verified ? undefined : 'its signature was not made by the key of its issuer';
}

function rsaKey(name: string, key: KeyObject) {
  if (!name.endsWith('-pss')) return { key, padding: constants.RSA_PKCS1_PADDING };
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}
