import type { KeyObject } from 'node:crypto';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { readPublicKey } from '#crypto/keys.ts';

/** The key of a transparency log or certificate log, with the name that its entries give it. */
export interface LogKey {
  /** SHA-256 of the SPKI, lower-case hex (RFC 6962, 3.2; the same in Rekor). */
  readonly id: string;
  readonly key: KeyObject;
}

/** The log that a public key in PEM stands for. @throws AppError `key-unreadable`. */
export function readLogKey(pem: string): LogKey {
  const key = readPublicKey(pem);
  return { id: publicKeyFingerprint(key), key };
}
