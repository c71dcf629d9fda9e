import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type BuiltLayer, buildImage, buildLayer, builtContent } from '#cli/demo/image-writer.ts';
import { sha256 } from '#model/digest.ts';
import type { ErrorCode } from '#model/errors.ts';
import { OCI_LAYER_GZIP, OCI_MANIFEST } from '#model/media-types.ts';
import { DEFAULT_WALK_LIMITS, type WalkLimits } from '#sbom/limits.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { debianItems } from '../../support/image.ts';
import { attest, bothWishes, enginePorts, signerOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { connect } from '../../support/registry-target.ts';

const wishes = bothWishes({ signer: signerOf(makePki()) });

interface Bad {
  readonly layer: BuiltLayer;
  readonly code: ErrorCode;
  readonly message: RegExp;
  /** What the registry serves in place of the layer. */
  readonly served?: Uint8Array;
  readonly limits?: Partial<WalkLimits>;
}

/** Nothing may be attached: the fake takes no uploads, and none was even tried. */
async function refused({ layer, code, message, served, limits }: Bad): Promise<void> {
  await using fake = await startFakeRegistry();
  publish(fake, layer);
  if (served) {
    fake.misbehave(new RegExp(`GET .*blobs/${layer.descriptor.digest}`), (_, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(served);
      return undefined;
    });
  }
  await using target = connect(fake.url);
  const ports = enginePorts(target, { walkLimits: { ...DEFAULT_WALK_LIMITS, ...limits } });
  await assert.rejects(attest(ports, 'bad/layers', '1.0', wishes), { code, message });
  assert.deepEqual(
    fake.requests.filter((line) => !/^(?:GET|HEAD) /.test(line)),
    [],
  );
}

function publish(fake: FakeRegistry, layer: BuiltLayer): void {
  const image = buildImage({ layers: [layer] });
  for (const { bytes } of image.blobs) fake.addBlob(bytes);
  fake.addManifest('1.0', image.root.bytes, OCI_MANIFEST);
}

function rawLayer(bytes: Uint8Array): BuiltLayer {
  return { ...builtContent(bytes, OCI_LAYER_GZIP), diffId: sha256(bytes) };
}

const good = await buildLayer(debianItems({ bash: '5.2-1' }));

test('a layer that the registry cuts short', () =>
  refused({
    layer: good,
    served: good.bytes.subarray(0, good.bytes.length - 20),
    code: 'layer-corrupt',
    message: new RegExp(good.descriptor.digest),
  }));

test('a layer that the registry serves other bytes for', () => {
  const served = Uint8Array.from(good.bytes);
  served[served.length - 1] = (served.at(-1) ?? 0) ^ 1;
  return refused({ layer: good, served, code: 'digest-mismatch', message: new RegExp(good.descriptor.digest) });
});

test('a layer that is longer than its descriptor says', () =>
  refused({
    layer: good,
    served: Buffer.concat([good.bytes, Buffer.alloc(1000)]),
    code: 'too-large',
    message: new RegExp(good.descriptor.digest),
  }));

test('a layer that was pushed truncated: its digest is right, its archive is not', () =>
  refused({
    layer: rawLayer(good.bytes.subarray(0, good.bytes.length / 2)),
    code: 'layer-corrupt',
    message: /^layer sha256:.* compressed stream is broken/,
  }));

test('a layer that is no archive', () =>
  refused({ layer: rawLayer(Buffer.from('plain text')), code: 'layer-corrupt', message: /^layer sha256:.*/ }));

test('a layer whose archive ends in the middle of a file', () =>
  refused({
    layer: rawLayer(gzipSync(Buffer.concat([debianTar().subarray(0, 700)]))),
    code: 'layer-corrupt',
    message: /^layer sha256:.* ends in the middle of an entry/,
  }));

function debianTar(): Buffer {
  const header = Buffer.alloc(512);
  header.write('etc/os-release');
  header.write('0000644\0', 100);
  header.write('00000004000\0', 124);
  header.write('0', 156);
  header.write('ustar\0', 257);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, Buffer.alloc(2048)]);
}

test('a decompression bomb: a small layer that unpacks beyond the limits', () =>
  refused({
    layer: rawLayer(gzipSync(Buffer.alloc(8 * 1024 * 1024))),
    limits: { ratioFloorBytes: 1024 * 1024 },
    code: 'layer-bomb',
    message: /^layer sha256:.* more than 200 times its compressed size/,
  }));

test('an archive that unpacks to more than one layer may', () =>
  refused({
    layer: good,
    limits: { unpackedBytesPerLayer: 1024 },
    code: 'layer-bomb',
    message: /^layer sha256:.* more than 1024 bytes/,
  }));

test('an operating system without a single package is told, not attested as empty', async () => {
  const layer = await buildLayer(debianItems({}));
  await refused({ layer, code: 'sbom-empty', message: /Debian.*none of its deb packages/ });
});

for (const [status, code] of [
  [401, 'registry-unauthorized'],
  [403, 'registry-forbidden'],
  [404, 'not-found'],
  [429, 'registry-throttled'],
  [500, 'registry-unavailable'],
  [503, 'registry-unavailable'],
] as const) {
  test(`a registry that answers ${status} for a layer, and for the manifest`, async () => {
    for (const pattern of [new RegExp(`blobs/${good.descriptor.digest}`), /manifests\/1\.0/]) {
      await using fake = await startFakeRegistry();
      publish(fake, good);
      fake.fail(pattern, status, { 'retry-after': '7' });
      await using target = connect(fake.url);
      await assert.rejects(attest(enginePorts(target), 'bad/layers', '1.0', wishes), {
        code,
        ...(status === 429 || status === 503 ? { retryAfterMs: 7000 } : {}),
      });
      assert.ok(fake.requests.every((line) => /^(?:GET|HEAD) /.test(line)));
    }
  });
}
