import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type BuiltImage, buildImage, buildIndex, buildLayer, jsonContent } from '#cli/demo/image-writer.ts';
import { pushImage } from '#cli/demo/push-image.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import type { ErrorCode } from '#model/errors.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';
import { attachedDigests, readAttached, readStatementOf } from '../../support/attachments.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { debianItems } from '../../support/image.ts';
import { attest, bothWishes, enginePorts, signerOf, statesOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage, smallIndex } from '../../support/small-images.ts';
import { watchTarget } from '../../support/watched-target.ts';

const wishes = bothWishes({ signer: signerOf(makePki()) });

let registry: TestRegistry;
let client: Target & AsyncDisposable;

before(async () => {
  registry = await startRegistry();
  client = connect(registry.url);
});
after(async () => {
  await client[Symbol.asyncDispose]();
  await registry.stop();
});

async function refused(repository: string, reference: string, code: ErrorCode, message: RegExp): Promise<void> {
  const target = watchTarget(client);
  await assert.rejects(attest(enginePorts(target), repository, reference, wishes), { code, message });
  assert.deepEqual(target.puts, [], 'nothing was attached');
}

async function bomOf(repository: string, subject: Digest) {
  const { layers } = await readAttached(client, repository, subject);
  assert.ok(layers[0]);
  return (await readStatementOf(client, repository, layers[0])).statement.predicate;
}

describe('forms of images', () => {
  test('Docker schema 2 is an image', async () => {
    const digest = await push(client, 'forms/docker', '1.0', await smallImage('docker', { form: 'docker' }));
    const report = await attest(enginePorts(client), 'forms/docker', '1.0', wishes);
    assert.deepEqual(statesOf(report), ['cyclonedx created', 'slsaprovenance1 created']);
    assert.equal((await attachedDigests(client, 'forms/docker', digest)).length, 2);
  });

  test('a Docker manifest list is an index', async () => {
    const digest = await push(client, 'forms/list', '1.0', await smallIndex('list', 'docker'));
    const report = await attest(enginePorts(client), 'forms/list', '1.0', wishes);
    assert.equal(report.evidence.length, 4);
    assert.equal((await attachedDigests(client, 'forms/list', digest)).length, 2);
  });

  test('a config without os and architecture is an image', async () => {
    const image = buildImage({ layers: [await buildLayer(debianItems({ bash: '5.2-1' }))] });
    const digest = await push(client, 'forms/bare', '1.0', image);
    await attest(enginePorts(client), 'forms/bare', '1.0', wishes);
    const bom = await bomOf('forms/bare', digest);
    assert.ok((bom.components as { name: string }[]).some(({ name }) => name === 'bash'));
  });

  test('a config that is nearly empty, and an image without layers', async () => {
    const config = jsonContent(OCI_CONFIG, { config: null, rootfs: null, created: null });
    const image = manifestOf({ config, layers: [] });
    const digest = await push(client, 'forms/empty', '1.0', image);
    await attest(enginePorts(client), 'forms/empty', '1.0', wishes);
    const bom = await bomOf('forms/empty', digest);
    assert.deepEqual(bom.components, []);
    assert.equal((bom.metadata as { timestamp?: string }).timestamp, undefined);
  });

  test('zstd layers and plain archives are read', async () => {
    const layers = [
      await buildLayer(debianItems({ zstd: '1.0' }), 'zstd'),
      await buildLayer([{ kind: 'directory', path: 'srv' }], 'tar'),
    ];
    const digest = await push(client, 'forms/zstd', '1.0', buildImage({ layers }));
    await attest(enginePorts(client), 'forms/zstd', '1.0', wishes);
    const bom = await bomOf('forms/zstd', digest);
    assert.ok((bom.components as { name: string }[]).some(({ name }) => name === 'zstd'));
  });

  test('what an index lists beside images is passed over', async () => {
    const image = await smallImage('beside');
    const artifact = manifestOf({ artifactType: 'application/vnd.example.thing' });
    const index = buildIndex([image, artifact]);
    await push(client, 'forms/beside', '1.0', index);
    const report = await attest(enginePorts(client), 'forms/beside', '1.0', wishes);
    const subjects = new Set(report.evidence.map(({ subject }) => subject));
    assert.deepEqual(subjects, new Set([image.root.descriptor.digest, index.root.descriptor.digest]));
  });

  test('an index entry of a kind that is no manifest is passed over without being fetched', async () => {
    const image = await smallImage('alien');
    await pushImage(client, 'forms/alien', 'child', image);
    const alien = { mediaType: 'application/vnd.example.unknown+json', digest: sha256('nowhere'), size: 7 };
    const body = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [image.root.descriptor, alien] };
    await using fake = await startFakeRegistry();
    const bytes = Buffer.from(JSON.stringify(body));
    fake.addManifest('1.0', bytes, OCI_INDEX);
    fake.addManifest('child', image.root.bytes, OCI_MANIFEST);
    for (const blob of image.blobs) fake.addBlob(blob.bytes);
    await using target = connect(fake.url);
    const report = await attest(enginePorts(target), 'forms/alien', '1.0', wishes, { maySign: false });
    assert.equal(report.evidence.length, 3);
    assert.ok(fake.requests.every((line) => !line.includes(alien.digest)));
  });
});

describe('what is no image', () => {
  test('an index inside an index', async () => {
    const inner = await smallIndex('inner');
    const outer = buildIndex([inner]);
    const digest = await push(client, 'refused/nested', '1.0', outer);
    await refused('refused/nested', '1.0', 'index-nested', new RegExp(`${digest}.*lists another index`));
  });

  test('an artifact, a referrer, a chart, an index of artifacts', async () => {
    const image = await smallImage('refers');
    await push(client, 'refused/kinds', 'image', image);
    const { mediaType, digest, size } = image.root.descriptor;
    const subject = { mediaType, digest, size };
    const cases: readonly [string, BuiltImage, RegExp][] = [
      [
        'artifact',
        manifestOf({ artifactType: 'application/vnd.example.thing' }),
        /artifactType is application\/vnd.example/,
      ],
      ['referrer', manifestOf({ subject }), new RegExp(`it refers to ${digest}`)],
      [
        'chart',
        manifestOf({ config: jsonContent('application/vnd.cncf.helm.config.v1+json', { name: 'chart' }) }),
        /its config is application\/vnd\.cncf\.helm/,
      ],
      [
        'index',
        buildIndex([manifestOf({ artifactType: 'application/vnd.example.thing' })]),
        /its index lists no image/,
      ],
    ];
    for (const [tag, manifest, message] of cases) {
      await push(client, 'refused/kinds', tag, manifest);
      await refused('refused/kinds', tag, 'not-an-image', message);
    }
  });

  test('evidence: attestations, signatures, SBOMs as cosign stores them', async () => {
    for (const mediaType of [
      'application/vnd.dsse.envelope.v1+json',
      'application/vnd.dev.cosign.simplesigning.v1+json',
      'application/vnd.dev.sigstore.bundle.v0.3+json',
      'application/vnd.in-toto+json',
      'application/vnd.cyclonedx+json',
      'text/spdx+json',
    ]) {
      const layer = jsonContent(mediaType, { of: mediaType });
      await push(client, 'refused/evidence', 'it', manifestOf({ layers: [layer] }));
      await refused('refused/evidence', 'it', 'not-an-image', /it holds evidence/);
    }
  });

  test('our own attestations, by their digest: no evidence of evidence', async () => {
    const subject = await push(client, 'refused/loop', '1.0', await smallImage('loop'));
    await attest(enginePorts(client), 'refused/loop', '1.0', wishes);
    const { digest } = await readAttached(client, 'refused/loop', subject);
    await refused('refused/loop', digest, 'not-an-image', /it holds evidence/);
  });
});

describe('manifests that lie', () => {
  async function served(
    bytes: Uint8Array,
    mediaType: string,
    code: ErrorCode,
    message: RegExp,
    reference = '1.0',
  ): Promise<void> {
    await using fake = await startFakeRegistry();
    fake.addManifest('1.0', bytes, mediaType);
    if (reference !== '1.0') {
      fake.misbehave(/GET .*manifests\/sha256/, (_, response) => {
        response.writeHead(200, { 'content-type': mediaType }).end(bytes);
        return undefined;
      });
    }
    await using target = connect(fake.url);
    await assert.rejects(attest(enginePorts(target), 'lies/image', reference, wishes), { code, message });
    assert.ok(
      fake.requests.every((line) => line.startsWith('GET') || line.startsWith('HEAD')),
      'nothing was attached',
    );
  }

  test('other bytes than the digest of the push event', async () => {
    const { root } = await smallImage('lying');
    const announced = sha256('what the payload of the event said');
    await served(root.bytes, OCI_MANIFEST, 'digest-mismatch', new RegExp(announced), announced);
  });

  test('more than 4 MiB', async () => {
    const body = { schemaVersion: 2, mediaType: OCI_MANIFEST, annotations: { much: 'x'.repeat(4 * 1024 * 1024) } };
    await served(Buffer.from(JSON.stringify(body)), OCI_MANIFEST, 'too-large', /4194304|limit/);
  });

  test('wrong media types: one that it is not, and ones that are no image', async () => {
    const { root } = await smallImage('typed');
    await served(root.bytes, OCI_INDEX, 'manifest-malformed', /served as application\/vnd.oci.image.index/);
    const nameless = Buffer.from(JSON.stringify({ schemaVersion: 2 }));
    await served(nameless, 'application/vnd.example+json', 'media-type-unsupported', /vnd\.example\+json/);
    const v1 = Buffer.from(JSON.stringify({ schemaVersion: 1, fsLayers: [] }));
    await served(v1, 'application/vnd.docker.distribution.manifest.v1+json', 'media-type-unsupported', /schema 1/);
  });

  test('no JSON, nested beyond reason, and a list where an object belongs', async () => {
    await served(Buffer.from('{"schemaVersion":2,'), OCI_MANIFEST, 'manifest-malformed', /manifest [^ ]+ is not JSON/);
    const deep = Buffer.from(`{"schemaVersion":2,"layers":${'['.repeat(100_000)}`);
    await served(deep, OCI_MANIFEST, 'manifest-malformed', /nested/);
    await served(Buffer.from('[]'), OCI_MANIFEST, 'manifest-malformed', /not a JSON object/);
  });

  test('a config that is no config', async () => {
    const digest = await push(
      client,
      'refused/config',
      '1.0',
      manifestOf({ config: jsonContent(OCI_CONFIG, [] as never) }),
    );
    assert.ok(digest);
    await refused('refused/config', '1.0', 'manifest-malformed', /config sha256:.* is no image config/);
  });
});

test('an image that is not there is not found, and a deleted one neither', async () => {
  await refused('gone/never', '1.0', 'not-found', /gone\/never/);
  const digest = await push(client, 'gone/deleted', '1.0', await smallImage('deleted'));
  await client.deleteManifest('gone/deleted', digest);
  await refused('gone/deleted', digest, 'not-found', /gone\/deleted/);
});

interface ManifestParts {
  readonly config?: ReturnType<typeof jsonContent>;
  readonly layers?: readonly ReturnType<typeof jsonContent>[];
  readonly artifactType?: string;
  readonly subject?: object;
}

/** A manifest of any kind, with an ordinary image config unless told otherwise. */
function manifestOf({ config = jsonContent(OCI_CONFIG, {}), layers = [], ...members }: ManifestParts): BuiltImage {
  const root = jsonContent(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    ...members,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  return { root, manifests: [], blobs: [config, ...layers] };
}
