import { parseCheckpoint } from '#crypto/checkpoint.ts';
import { checkpointProblem } from '#crypto/checkpoint-signature.ts';
import type { LogKey } from '#crypto/log-key.ts';
import { rootOf } from '#crypto/merkle.ts';
import type { LogEntryJson } from '#model/witnessed.ts';

/**
 * Why an entry is not included in the tree of the log that answered; undefined when it is: its proof leads from the
 * body to the root of a checkpoint, and, where the log's key is known, the log signed that checkpoint.
 */
export function inclusionProblem(entry: LogEntryJson, log: LogKey | undefined): string | undefined {
  const proof = entry.inclusionProof;
  if (!proof) return 'it brings no inclusion proof';
  const checkpoint = parseCheckpoint(proof.checkpoint.envelope);
  if (!checkpoint) return 'its checkpoint cannot be read';
  const root = rootOf(Buffer.from(entry.canonicalizedBody, 'base64'), {
    index: BigInt(proof.logIndex),
    treeSize: BigInt(proof.treeSize),
    hashes: proof.hashes.map((hash) => Buffer.from(hash, 'base64')),
  });
  if (!root?.equals(Buffer.from(proof.rootHash, 'base64'))) return 'its inclusion proof does not lead to its root';
  if (checkpoint.treeSize !== BigInt(proof.treeSize) || !checkpoint.rootHash.equals(root)) {
    return 'its checkpoint is of another tree';
  }
  return log && checkpointProblem(checkpoint, log);
}
