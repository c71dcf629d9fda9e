import assert from 'node:assert/strict';
import test from 'node:test';
import { leafHash, rootOf } from '#crypto/merkle.ts';
import { merkleTree } from '../../support/merkle-tree.ts';

const leavesOf = (size: number) => Array.from({ length: size }, (_, at) => Buffer.from(`leaf ${at}`));

test('every leaf of every small tree leads to its root', () => {
  for (let size = 1; size <= 20; size++) {
    const leaves = leavesOf(size);
    const tree = merkleTree(leaves);
    for (const [index, leaf] of leaves.entries()) {
      const proof = { index: BigInt(index), treeSize: BigInt(size), hashes: tree.path(index) };
      assert.deepEqual(rootOf(leaf, proof), tree.root(), `leaf ${index} of ${size}`);
    }
  }
});

test('the tree of one leaf is its hash, with the prefix of leaves', () => {
  const found = rootOf(Buffer.alloc(0), { index: 0n, treeSize: 1n, hashes: [] });
  assert.equal(found?.toString('hex'), '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
  assert.deepEqual(found, leafHash(Buffer.alloc(0)));
});

test('a proof of another leaf, place, size or with other hashes leads elsewhere or nowhere', () => {
  const leaves = leavesOf(11);
  const tree = merkleTree(leaves);
  const proof = { index: 6n, treeSize: 11n, hashes: tree.path(6) };
  const leaf = leaves[6] ?? Buffer.alloc(0);
  const [first = Buffer.alloc(0), ...rest] = proof.hashes;
  const wrong = {
    leaf: rootOf(Buffer.from('leaf 7'), proof),
    index: rootOf(leaf, { ...proof, index: 7n }),
    'size that is too small': rootOf(leaf, { ...proof, treeSize: 6n }),
    'size of another depth': rootOf(leaf, { ...proof, treeSize: 40n }),
    'one hash less': rootOf(leaf, { ...proof, hashes: rest }),
    'one hash more': rootOf(leaf, { ...proof, hashes: [...proof.hashes, first] }),
    'a hash cut short': rootOf(leaf, { ...proof, hashes: [first.subarray(1), ...rest] }),
    'a negative index': rootOf(leaf, { ...proof, index: -1n }),
    'hashes without end': rootOf(leaf, { ...proof, hashes: Array.from({ length: 65 }, () => first) }),
  };
  for (const [what, found] of Object.entries(wrong)) assert.notDeepEqual(found, tree.root(), what);
});
