import { createHash } from 'node:crypto';

/** Hashes of one proof: enough for a tree of 2^64 leaves. */
const MAX_HASHES = 64;

/** Where a leaf stands in a Merkle tree, and the hashes beside its way up to the root (RFC 6962, 2.1.1). */
export interface InclusionProof {
  readonly index: bigint;
  readonly treeSize: bigint;
  readonly hashes: readonly Uint8Array[];
}

/** Hash of a leaf (RFC 6962, 2.1). */
export function leafHash(leaf: Uint8Array): Buffer {
  return createHash('sha256')
    .update(Buffer.from([0]))
    .update(leaf)
    .digest();
}

/** Hash of an inner node. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256')
    .update(Buffer.from([1]))
    .update(left)
    .update(right)
    .digest();
}

/** The root that a proof leads to from its leaf (RFC 9162, 2.1.3.2); undefined when it is no proof for that tree. */
export function rootOf(leaf: Uint8Array, { index, treeSize, hashes }: InclusionProof): Buffer | undefined {
  if (index < 0n || index >= treeSize || hashes.length > MAX_HASHES) return undefined;
  if (hashes.some(({ length }) => length !== 32)) return undefined;
  let at = index;
  let last = treeSize - 1n;
  let root = leafHash(leaf);
  for (const hash of hashes) {
    if (last === 0n) return undefined;
    if (at % 2n === 1n || at === last) {
      root = nodeHash(hash, root);
      // A node without a sibling to its right is its own parent until one appears to its left.
      while (at % 2n === 0n && at !== 0n) {
        at /= 2n;
        last /= 2n;
      }
    } else {
      root = nodeHash(root, hash);
    }
    at /= 2n;
    last /= 2n;
  }
  return last === 0n ? root : undefined;
}
