import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppError } from '#model/errors.ts';
import type { PackageFact } from '#sbom/fact.ts';
import { createImageTree } from '#sbom/image-tree.ts';
import type { LayerFacts } from '#sbom/layer-facts.ts';
import { createPathHashes } from '#sbom/path-hashes.ts';

interface Layer {
  readonly files?: Readonly<Record<string, readonly string[]>>;
  readonly others?: readonly string[];
  readonly whiteouts?: readonly string[];
  readonly opaques?: readonly string[];
}

function named(name: string): PackageFact {
  return { kind: 'package', type: 'npm', name, version: '1' };
}

function facts({ files = {}, others = [], whiteouts = [], opaques = [] }: Layer): LayerFacts {
  const occupied = createPathHashes();
  for (const path of [...Object.keys(files), ...others]) occupied.add(path);
  return {
    version: 'test',
    unpackedBytes: 0,
    files: Object.entries(files).map(([path, names]) => ({ path, facts: names.map(named) })),
    whiteouts,
    opaques,
    occupied: occupied.encode(),
    gaps: [],
  };
}

/** `path:name@layer` of all facts that the finished image shows. */
function show(...layers: readonly Layer[]): string[] {
  const tree = createImageTree(1000);
  for (const [place, layer] of layers.entries()) tree.apply(place, facts(layer));
  return [...tree.facts()]
    .map(({ path, layer, fact }) => `${path}:${fact.kind === 'package' ? fact.name : fact.kind}@${layer}`)
    .sort();
}

describe('image tree', () => {
  const base: Layer = { files: { 'a/b/one': ['one'], 'a/b/two': ['two'], 'a/c': ['c'], top: ['top'] } };

  it('lays layers over each other', () => {
    assert.deepEqual(show(base, { files: { 'a/d': ['d'] } }), [
      'a/b/one:one@0',
      'a/b/two:two@0',
      'a/c:c@0',
      'a/d:d@1',
      'top:top@0',
    ]);
  });

  it('removes what a whiteout names: a file, a folder with all below it, nothing', () => {
    assert.deepEqual(show(base, { whiteouts: ['a/b/one'] }), ['a/b/two:two@0', 'a/c:c@0', 'top:top@0']);
    assert.deepEqual(show(base, { whiteouts: ['a/b'] }), ['a/c:c@0', 'top:top@0']);
    assert.deepEqual(show(base, { whiteouts: ['a/b/on', 'nothing', 'a/b/one/x'] }).length, 4);
  });

  it('empties opaque folders, and the root', () => {
    assert.deepEqual(show(base, { opaques: ['a/b'], files: { 'a/b/new': ['new'] } }), [
      'a/b/new:new@1',
      'a/c:c@0',
      'top:top@0',
    ]);
    assert.deepEqual(show(base, { opaques: [''], files: { 'a/x': ['x'] } }), ['a/x:x@1']);
  });

  it('hides lower layers only, wherever the marker stands', () => {
    assert.deepEqual(show(base, { whiteouts: ['top'], files: { top: ['again'] } }).at(-1), 'top:again@1');
    assert.deepEqual(show({}, { whiteouts: ['top'] }, base).length, 4);
  });

  it('replaces a file by anything of its name, and a folder by a file or link', () => {
    assert.deepEqual(show(base, { others: ['top'] }), ['a/b/one:one@0', 'a/b/two:two@0', 'a/c:c@0']);
    assert.deepEqual(show(base, { others: ['a/b'] }), ['a/c:c@0', 'top:top@0']);
    assert.deepEqual(show(base, { others: ['a'] }), ['top:top@0']);
  });

  it('replaces a file by a folder', () => {
    assert.deepEqual(show(base, { files: { 'top/inside': ['x'] } }), [
      'a/b/one:one@0',
      'a/b/two:two@0',
      'a/c:c@0',
      'top/inside:x@1',
    ]);
  });

  it('keeps the layer of what a rewritten file still says', () => {
    const status = 'var/lib/dpkg/status';
    const shown = show(
      { files: { [status]: ['base', 'old'] } },
      { files: { [status]: ['base', 'old', 'added'] } },
      { files: { [status]: ['base', 'added'] } },
      { files: { [status]: ['base', 'added', 'old'] } },
    );
    assert.deepEqual(shown, [`${status}:added@1`, `${status}:base@0`, `${status}:old@3`]);
  });

  it('bounds the files of an image', () => {
    const tree = createImageTree(3);
    assert.throws(
      () => tree.apply(0, facts(base)),
      (error) => error instanceof AppError && error.code === 'layer-bomb',
    );
  });

  it('tells many paths apart by their hashes', () => {
    const paths = Array.from({ length: 20_000 }, (_, i) => `usr/lib/node_modules/p${i % 100}/dist/${i}.js`);
    assert.deepEqual(show({ files: { 'usr/lib/node_modules/p1/package.json': ['p1'] } }, { others: paths }), [
      'usr/lib/node_modules/p1/package.json:p1@0',
    ]);
  });
});
