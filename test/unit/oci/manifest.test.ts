import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '#model/digest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
} from '#model/media-types.ts';
import { parseManifest } from '#oci/manifest.ts';

const LAYER = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: `sha256:${'a'.repeat(64)}`, size: 7 };
const CONFIG = { mediaType: OCI_CONFIG, digest: `sha256:${'b'.repeat(64)}`, size: 2 };
const IMAGE = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: CONFIG, layers: [LAYER] };
const INDEX = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...LAYER, mediaType: OCI_MANIFEST }] };

function parse(body: unknown, mediaType: string = OCI_MANIFEST) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return parseManifest({ bytes, descriptor: { mediaType, digest: sha256(bytes), size: bytes.byteLength } });
}

describe('manifest', () => {
  it('reads an OCI image', () => {
    const parsed = parse({ ...IMAGE, annotations: { made: 'here' }, subject: LAYER, artifactType: 'a/b' });
    assert.equal(parsed.kind, 'manifest');
    assert.ok(parsed.kind === 'manifest');
    assert.deepEqual(parsed.config, CONFIG);
    assert.deepEqual(parsed.layers, [LAYER]);
    assert.deepEqual(parsed.subject, LAYER);
    assert.deepEqual(parsed.annotations, { made: 'here' });
    assert.equal(parsed.artifactType, 'a/b');
  });

  it('reads Docker schema 2, and an image that leaves out its own media type', () => {
    const docker = { ...IMAGE, mediaType: DOCKER_MANIFEST, config: { ...CONFIG, mediaType: DOCKER_CONFIG } };
    assert.equal(parse(docker, DOCKER_MANIFEST).kind, 'manifest');
    const { mediaType: _, ...silent } = IMAGE;
    assert.equal(parse(silent).kind, 'manifest');
  });

  it('reads an index and a Docker list, with platforms', () => {
    const platform = { os: 'linux', architecture: 'arm', variant: 'v7', 'os.features': ['x'] };
    const parsed = parse({ ...INDEX, manifests: [{ ...LAYER, platform, annotations: null }] }, OCI_INDEX);
    assert.ok(parsed.kind === 'index');
    assert.deepEqual(parsed.manifests, [{ ...LAYER, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }]);
    assert.equal(parse({ ...INDEX, mediaType: DOCKER_LIST }, DOCKER_LIST).kind, 'index');
  });

  it('takes null lists and empty platforms for what Go programs mean by them', () => {
    const parsed = parse({ ...IMAGE, layers: null, annotations: null, subject: null });
    assert.ok(parsed.kind === 'manifest');
    assert.deepEqual(parsed.layers, []);
    const index = parse({ ...INDEX, manifests: [{ ...LAYER, platform: { os: '', architecture: '' } }] }, OCI_INDEX);
    assert.ok(index.kind === 'index');
    assert.equal(index.manifests[0]?.platform, undefined);
  });

  it('leaves out urls and data: content comes from the registry by its digest alone', () => {
    const parsed = parse({ ...IMAGE, layers: [{ ...LAYER, urls: ['https://elsewhere'], data: 'AAAA' }] });
    assert.ok(parsed.kind === 'manifest');
    assert.deepEqual(parsed.layers, [LAYER]);
  });

  it('refuses other media types by name', () => {
    const cases = {
      'application/vnd.docker.distribution.manifest.v1+json': /a Docker schema 1 manifest/,
      'application/vnd.docker.distribution.manifest.v1+prettyjws': /signed Docker schema 1/,
      'application/vnd.oci.artifact.manifest.v1+json': /withdrawn/,
      'text/html': /"text\/html"/,
    };
    for (const [mediaType, message] of Object.entries(cases)) {
      assert.throws(() => parse({ schemaVersion: 1 }, mediaType), { code: 'media-type-unsupported', message });
    }
  });

  it('refuses bytes with two readings', () => {
    const cases: [unknown, string][] = [
      [{ ...IMAGE, manifests: INDEX.manifests }, OCI_MANIFEST],
      [{ ...INDEX, layers: [LAYER] }, OCI_INDEX],
      [{ ...INDEX, config: CONFIG }, OCI_INDEX],
      [{ ...IMAGE, fsLayers: [] }, OCI_MANIFEST],
      [IMAGE, DOCKER_MANIFEST],
      [INDEX, OCI_MANIFEST],
    ];
    for (const [body, mediaType] of cases) {
      assert.throws(() => parse(body, mediaType), { code: 'manifest-malformed' }, JSON.stringify(body));
    }
  });

  it('names the member that is wrong', () => {
    const withLayer = (change: object) => ({ ...IMAGE, layers: [LAYER, { ...LAYER, ...change }] });
    const cases: [unknown, RegExp][] = [
      ['[]', /not a JSON object/],
      ['nonsense', /not JSON/],
      [{ ...IMAGE, schemaVersion: 1 }, /schemaVersion/],
      [{ ...IMAGE, config: undefined }, /config is not a descriptor/],
      [{ ...IMAGE, layers: {} }, /layers is not a list/],
      [{ ...IMAGE, layers: undefined }, /layers is not a list/],
      [{ ...IMAGE, annotations: { a: 1 } }, /annotation "a" is not a string/],
      [{ ...IMAGE, annotations: [] }, /annotations are not an object/],
      [{ ...IMAGE, subject: { digest: 'x' } }, /subject/],
      [{ ...IMAGE, artifactType: 3 }, /artifactType/],
      [withLayer({ digest: 'sha256:abc' }), /layers\[1\] digest/],
      [withLayer({ digest: `md5:${'a'.repeat(32)}` }), /layers\[1\] digest/],
      [withLayer({ digest: `sha256:${'A'.repeat(64)}` }), /layers\[1\] digest/],
      [withLayer({ size: -1 }), /layers\[1\] size/],
      [withLayer({ size: 1.5 }), /layers\[1\] size/],
      [withLayer({ size: '7' }), /layers\[1\] size/],
      [withLayer({ size: 2 ** 53 }), /layers\[1\] size/],
      [withLayer({ mediaType: 'no type' }), /layers\[1\] mediaType/],
      [withLayer({ mediaType: undefined }), /layers\[1\] mediaType/],
      [withLayer({ platform: 'linux' }), /layers\[1\] platform/],
      [withLayer({ platform: { os: 1 } }), /layers\[1\]: platform.os/],
      [withLayer({ platform: { os: 'x'.repeat(300) } }), /layers\[1\]: platform.os/],
    ];
    for (const [body, message] of cases) {
      assert.throws(() => parse(body), { code: 'manifest-malformed', message }, JSON.stringify(body).slice(0, 200));
    }
  });

  it('refuses more than a thousand layers or children', () => {
    const many = (count: number) => Array.from({ length: count }, () => LAYER);
    const parsed = parse({ ...IMAGE, layers: many(1000) });
    assert.ok(parsed.kind === 'manifest' && parsed.layers.length === 1000);
    assert.throws(() => parse({ ...IMAGE, layers: many(1001) }), { code: 'too-large', message: /1001 layers/ });
    assert.throws(() => parse({ ...INDEX, manifests: many(1001) }, OCI_INDEX), { code: 'too-large' });
  });
});
