import { leafHash, nodeHash } from '#crypto/merkle.ts';

/** A Merkle tree as RFC 6962 defines it, by its recursion: slow, and plainly right. */
export function merkleTree(leaves: readonly Uint8Array[]) {
  return {
    root: () => rootHash(leaves),
    /** The audit path of a leaf (RFC 6962, 2.1.1). */
    path: (index: number) => auditPath(leaves, index),
  };
}

function rootHash(leaves: readonly Uint8Array[]): Buffer {
  const [first] = leaves;
  if (leaves.length === 1 && first) return leafHash(first);
  const at = split(leaves.length);
  return nodeHash(rootHash(leaves.slice(0, at)), rootHash(leaves.slice(at)));
}

function auditPath(leaves: readonly Uint8Array[], index: number): Buffer[] {
  if (leaves.length <= 1) return [];
  const at = split(leaves.length);
  return index < at
    ? [...auditPath(leaves.slice(0, at), index), rootHash(leaves.slice(at))]
    : [...auditPath(leaves.slice(at), index - at), rootHash(leaves.slice(0, at))];
}

/** The largest power of two below a number. */
function split(size: number): number {
  let at = 1;
  while (at * 2 < size) at *= 2;
  return at;
}
