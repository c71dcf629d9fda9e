import type { KeyObject } from 'node:crypto';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { readPublicKey } from '#crypto/keys.ts';
import type { TimeWindow } from '#crypto/time-window.ts';

/** The key of a transparency log or certificate log, with the name that its entries give it. */
export interface LogKey {
  /**
   * What entries call the log, lower-case hex: the SHA-256 of the SPKI (RFC 6962, 3.2; Rekor v1), or the key id of its
   * checkpoints (Rekor v2).
   */
  readonly id: string;
  readonly key: KeyObject;
  /** Host name of the log: the origin that its checkpoints must name where Rekor v2 signs them; absent: not known. */
  readonly origin?: string;
  /** When its entries count; absent: always. */
  readonly validFor?: TimeWindow;
}

/** The log that a public key in PEM stands for. @throws AppError `key-unreadable`. */
export function readLogKey(pem: string): LogKey {
  const key = readPublicKey(pem);
  return { id: publicKeyFingerprint(key), key };
}
