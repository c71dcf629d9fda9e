import { createHash } from 'node:crypto';

/** Where a leaf stands in a tree of which the root is known (RFC 6962, 2.1.1). */
export interface InclusionProof {
  readonly index: bigint;
  readonly treeSize: bigint;
  /** Siblings from the leaf upwards. */
  readonly hashes: readonly Uint8Array[];
}

/** Hash of a leaf: its bytes behind a zero (RFC 6962, 2.1). */
export function leafHash(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(Buffer.from([0])).update(bytes).digest();
}

/** The root that a proof leads to (RFC 9162, 2.1.3.2); undefined when the proof does not fit the size of the tree. */
export function rootOf(leaf: Uint8Array, { index, treeSize, hashes }: InclusionProof): Buffer | undefined {
  if (index < 0n || index >= treeSize) return undefined;
  let [at, last] = [index, treeSize - 1n];
  let root: Buffer = Buffer.from(leaf);
  for (const sibling of hashes) {
    if (last === 0n) return undefined;
    if (isOdd(at) || at === last) {
      root = nodeHash(sibling, root);
      // A node without a right sibling is carried up unhashed.
      while (!isOdd(at) && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else {
      root = nodeHash(root, sibling);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  return last === 0n ? root : undefined;
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(Buffer.from([1])).update(left).update(right).digest();
}

function isOdd(value: bigint): boolean {
  return (value & 1n) === 1n;
}
