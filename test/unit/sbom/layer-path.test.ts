import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ancestors, cleanPath, parentPath, pathDepth, whiteoutOf } from '#sbom/layer-path.ts';

describe('paths of a layer', () => {
  for (const [written, clean] of [
    ['usr/bin/x', 'usr/bin/x'],
    ['./usr/bin/', 'usr/bin'],
    ['/usr//bin/./x', 'usr/bin/x'],
    ['usr/../etc/passwd', 'etc/passwd'],
    ['../../etc/passwd', 'etc/passwd'],
    ['a/...', 'a/...'],
    ['.hidden/..x', '.hidden/..x'],
    ['./', ''],
    ['', ''],
  ] as const) {
    it(`reads ${JSON.stringify(written)} as ${JSON.stringify(clean)}`, () => assert.equal(cleanPath(written), clean));
  }

  it('knows depth, parent and ancestors', () => {
    assert.equal(pathDepth('a'), 0);
    assert.equal(pathDepth('a/b/c'), 2);
    assert.equal(parentPath('a/b/c'), 'a/b');
    assert.equal(parentPath('a'), '');
    assert.deepEqual([...ancestors('a/b/c')], ['a/b', 'a']);
    assert.deepEqual([...ancestors('a')], []);
  });

  it('knows whiteouts from names that only look like them', () => {
    assert.deepEqual(whiteoutOf('a/.wh.b'), { kind: 'path', path: 'a/b' });
    assert.deepEqual(whiteoutOf('.wh.b'), { kind: 'path', path: 'b' });
    assert.deepEqual(whiteoutOf('a/.wh..wh..opq'), { kind: 'opaque', folder: 'a' });
    assert.deepEqual(whiteoutOf('.wh..wh..opq'), { kind: 'opaque', folder: '' });
    assert.equal(whiteoutOf('a/.wh..wh.plnk'), 'internal');
    assert.equal(whiteoutOf('a/.wh...'), 'internal');
    assert.equal(whiteoutOf('a/.wh.'), 'internal');
    assert.equal(whiteoutOf('a/.wha'), undefined);
    assert.equal(whiteoutOf('.wh.a/b'), undefined);
  });
});
