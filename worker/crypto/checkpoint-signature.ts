import type { KeyObject } from 'node:crypto';
import type { Checkpoint } from '#crypto/checkpoint.ts';
import { verifySignature } from '#crypto/dsse.ts';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { type LogKey, noteKeyId } from '#crypto/log-key.ts';

/** Origins of Rekor v1 end with the number of the tree; its signatures are named otherwise. */
const TREE_NUMBER = / - \d+$/;

/** A checkpoint in the manner of Rekor v1, whose origin names a tree. */
export function namesTree({ origin }: Checkpoint): boolean {
  return TREE_NUMBER.test(origin);
}

/**
 * Why a log did not sign a checkpoint; undefined when it did. Signatures of others, such as witnesses, are passed over.
 * Where the origin names no tree it must be the log's, and so must the name beside the signature (Rekor v2).
 */
export function checkpointProblem(checkpoint: Checkpoint, log: LogKey): string | undefined {
  const isTree = namesTree(checkpoint);
  if (!isTree && log.origin === undefined) return 'the trust does not say the host of its log, which must have signed';
  if (!isTree && checkpoint.origin !== log.origin) {
    return `its checkpoint is that of ${checkpoint.origin.slice(0, 120)}, not of ${log.origin}`;
  }
  const own = checkpoint.signatures.filter(({ name, keyHint }) => {
    const hint = keyHint.toString('hex');
    if (isTree) return hint === publicKeyFingerprint(log.key).slice(0, 8);
    return name === log.origin && hint === noteHint(name, log.key);
  });
  if (own.length === 0) return 'its checkpoint has no signature of the log';
  const isSigned = own.some(({ signature }) => verifySignature(log.key, checkpoint.body, signature, hashOf(log.key)));
  return isSigned ? undefined : 'the log did not sign its checkpoint';
}

/** First four bytes of the key's id in a note, lower-case hex. */
export function noteHint(name: string, key: KeyObject): string {
  return noteKeyId(name, key).slice(0, 8);
}

/** ECDSA keys of logs sign with the hash that goes with their curve. */
function hashOf({ asymmetricKeyDetails }: KeyObject): 'sha256' | 'sha384' | 'sha512' {
  switch (asymmetricKeyDetails?.namedCurve) {
    case 'secp384r1':
      return 'sha384';
    case 'secp521r1':
      return 'sha512';
    default:
      return 'sha256';
  }
}
