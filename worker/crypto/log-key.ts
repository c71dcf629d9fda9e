import { createHash, type KeyObject } from 'node:crypto';
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

/** Algorithm byte of Ed25519 in the id of a note's key (C2SP signed-note, signature types). */
const ED25519 = 1;

/**
 * The log that a public key in PEM stands for.
 * @param origin of a log of Rekor v2, which names itself by the key of its checkpoints
 * @throws AppError `key-unreadable`.
 */
export function readLogKey(pem: string, origin?: string): LogKey {
  const key = readPublicKey(pem);
  if (origin === undefined) return { id: publicKeyFingerprint(key), key };
  return { id: noteKeyId(origin, key), key, origin };
}

/**
 * Id of a key that signs notes, lower-case hex; its first four bytes are the hint beside a signature. Ed25519 keys are
 * hashed with the name, the others as SPKI alone.
 */
export function noteKeyId(name: string, key: KeyObject): string {
  if (key.asymmetricKeyType !== 'ed25519') return publicKeyFingerprint(key);
  const raw = key.export({ type: 'spki', format: 'der' }).subarray(-32);
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([ED25519]), raw]);
  return createHash('sha256').update(named).digest('hex');
}
