import type { KeyObject } from 'node:crypto';
import { describeKey, keyKind } from '#crypto/key-kind.ts';
import { AppError } from '#model/errors.ts';

const SMALLEST_RSA_BITS = 2048;
const LARGEST_RSA_BITS = 4096;

/** How a service is asked to sign a SHA-256 digest. */
export type DigestAlgorithm = 'ecdsa' | 'rsa-pkcs1v15';

/**
 * The algorithm for a key of a service or token, which is only ever shown a SHA-256 digest. Clouds tie each curve to
 * its own digest, so that P-384 is for those alone that do not (`curves`).
 * @throws AppError `key-refused` naming the limit, before anything is signed.
 */
export function digestAlgorithm(key: KeyObject, what: string, curves: readonly string[] = ['P-256']): DigestAlgorithm {
  const kind = keyKind(key);
  const mend = 'use a key of the kind ECDSA P-256, or RSA of 2048 to 4096 bits with PKCS #1 v1.5 and SHA-256';
  const refuse = (why: string) => new AppError('key-refused', `${what} is ${describeKey(kind)}: ${why}`, { mend });
  switch (kind.type) {
    case 'ecdsa':
      if (curves.includes(kind.curve)) return 'ecdsa';
      throw refuse(
        kind.curve === 'P-384'
          ? 'the service signs SHA-384 digests with it, and verifiers read SHA-256'
          : 'verifiers read P-256',
      );
    case 'rsa':
      if (kind.bits < SMALLEST_RSA_BITS) throw refuse(`verifiers take RSA from ${SMALLEST_RSA_BITS} bits`);
      if (kind.bits > LARGEST_RSA_BITS) throw refuse(`RSA up to ${LARGEST_RSA_BITS} bits is used`);
      return 'rsa-pkcs1v15';
    case 'ed25519':
      throw refuse('it signs whole payloads, and only their digest is shown to a service');
    case 'other':
      throw refuse('verifiers do not read it');
  }
}

/** What whoever verifies may stumble over; undefined where there is nothing to say. */
export function keyWarning(key: KeyObject): string | undefined {
  const kind = keyKind(key);
  if (kind.type !== 'ecdsa' || kind.curve !== 'P-384') return undefined;
  return `the key is ${describeKey(kind)}: signatures use SHA-256, the only digest that cosign and Kyverno try`;
}
