import { createHash, type KeyObject } from 'node:crypto';
import type { Checkpoint } from '#crypto/checkpoint.ts';
import { verifySignature } from '#crypto/dsse.ts';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import type { LogKey } from '#crypto/log-key.ts';

/** Origins of Rekor v1 end with the number of the tree; its signatures are named otherwise. */
const TREE_NUMBER = / - \d+$/;
/** Algorithm byte of a note's key id (C2SP signed-note, signature types). */
const ED25519 = 1;

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

/** The key's id in a note: Ed25519 keys are hashed with the name, the others as SPKI alone. */
export function noteHint(name: string, key: KeyObject): string {
  if (key.asymmetricKeyType !== 'ed25519') return publicKeyFingerprint(key).slice(0, 8);
  const raw = key.export({ type: 'spki', format: 'der' }).subarray(-32);
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([ED25519]), raw]);
  return createHash('sha256').update(named).digest('hex').slice(0, 8);
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
