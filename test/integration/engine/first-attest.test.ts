import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { EvidenceWish } from '#engine/engine-ports.ts';
import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, digestHex, sha256 } from '#model/digest.ts';
import { TOOL_VERSION } from '#model/tool.ts';
import type { Target } from '#oci/target.ts';
import { type Attached, attestationTagOf, readAttached, readStatementOf } from '../../support/attachments.ts';
import { attest, bothWishes, enginePorts, REGISTRY, signerOf, statesOf, wishOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage, smallIndex } from '../../support/small-images.ts';
import { type WatchedTarget, watchTarget } from '../../support/watched-target.ts';

const CYCLONEDX = 'https://cyclonedx.org/bom';
const PROVENANCE = 'https://slsa.dev/provenance/v1';
const pki = makePki();
const signer = signerOf(pki);
const wishes = bothWishes({ signer });

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

describe('the first attestation of an image', () => {
  const repository = 'first/image';
  let target: WatchedTarget;
  let digest: Digest;
  let attached: Attached;

  before(async () => {
    target = watchTarget(client);
    digest = await push(client, repository, '1.0', await smallImage('first'));
    const report = await attest(enginePorts(target), repository, '1.0', wishes);
    assert.deepEqual(statesOf(report), ['cyclonedx created', 'slsaprovenance1 created']);
    attached = await readAttached(client, repository, digest);
  });

  test('all evidence of a location comes in one manifest PUT, to the tag of the digest', () => {
    assert.deepEqual(target.puts, [{ repository, reference: `sha256-${digestHex(digest)}.att` }]);
    assert.equal(attached.layers.length, 2);
  });

  test('the manifest is that of A.1.1: these members and no others', () => {
    const { manifest } = attached;
    assert.deepEqual(Object.keys(manifest), ['schemaVersion', 'mediaType', 'config', 'layers']);
    assert.equal(manifest.schemaVersion, 2);
    assert.equal(manifest.mediaType, 'application/vnd.oci.image.manifest.v1+json');
    const { mediaType, size, digest: configDigest } = manifest.config;
    assert.deepEqual(Object.keys(manifest.config).sort(), ['digest', 'mediaType', 'size']);
    assert.equal(mediaType, 'application/vnd.oci.image.config.v1+json');
    assert.equal(size, Buffer.byteLength(attached.configText));
    assert.equal(configDigest, sha256(attached.configText));
  });

  test('the config is byte for byte that of an empty image with a history entry a layer', () => {
    const ids = attached.layers.map((layer) => `"${layer.digest}"`).join(',');
    const zero = '"created":"0001-01-01T00:00:00Z"';
    assert.equal(
      attached.configText,
      `{"architecture":"",${zero},"history":[{${zero}},{${zero}}],"os":"",` +
        `"rootfs":{"type":"layers","diff_ids":[${ids}]},"config":{}}`,
    );
  });

  test('each layer carries the annotations of A.1.2, the empty signature and the chain of intermediates and root', () => {
    for (const [layer, type] of zip(attached.layers, [CYCLONEDX, PROVENANCE])) {
      assert.equal(layer.mediaType, 'application/vnd.dsse.envelope.v1+json');
      assert.deepEqual(layer.annotations, {
        'dev.cosignproject.cosign/signature': '',
        predicateType: type,
        'dev.sigstore.cosign/certificate': pki.leaf.pem,
        'dev.sigstore.cosign/chain': pki.chainPem,
      });
    }
    assert.equal(pki.chainPem.match(/BEGIN CERTIFICATE/g)?.length, 2);
  });

  test('each blob is a DSSE envelope with standard base64 and one signature with an empty keyid', async () => {
    for (const layer of attached.layers) {
      const { envelope, payload } = await readStatementOf(client, repository, layer);
      assert.deepEqual(Object.keys(envelope), ['payloadType', 'payload', 'signatures']);
      assert.equal(envelope.payloadType, 'application/vnd.in-toto+json');
      assert.equal(envelope.payload, payload.toString('base64'));
      const [signature, ...others] = envelope.signatures as { keyid: string; sig: string }[];
      assert.equal(others.length, 0);
      assert.deepEqual(Object.keys(signature ?? {}), ['keyid', 'sig']);
      assert.equal(signature?.keyid, '');
      assert.match(signature?.sig ?? '', /^[A-Za-z0-9+/]+={0,2}$/);
    }
  });

  test('each statement is in-toto v1, about exactly this digest, by the configured name of the registry', async () => {
    for (const [layer, type] of zip(attached.layers, [CYCLONEDX, PROVENANCE])) {
      const { statement } = await readStatementOf(client, repository, layer);
      assert.deepEqual(Object.keys(statement).sort(), ['_type', 'predicate', 'predicateType', 'subject']);
      assert.equal(statement._type, 'https://in-toto.io/Statement/v1');
      assert.equal(statement.predicateType, type);
      assert.deepEqual(statement.subject, [
        { name: `${REGISTRY}/${repository}`, digest: { sha256: digestHex(digest) } },
      ]);
    }
  });

  test('the SBOM is CycloneDX 1.6 and lists what the layers hold', async () => {
    const { statement } = await readStatementOf(client, repository, layerAt(attached, 0));
    const { predicate } = statement;
    assert.equal(predicate.bomFormat, 'CycloneDX');
    assert.equal(predicate.specVersion, '1.6');
    const names = (predicate.components as { name: string }[]).map(({ name }) => name);
    for (const name of ['bash', 'left-pad', 'seed-first']) assert.ok(names.includes(name), `${name} in ${names}`);
    assert.equal((predicate.metadata as { timestamp: string }).timestamp, '2026-01-02T03:04:05Z');
  });

  test('the provenance says observed at the registry, under a builder id of our own, and claims no build', async () => {
    const { statement, payload } = await readStatementOf(client, repository, layerAt(attached, 1));
    const { buildDefinition, runDetails } = statement.predicate as {
      buildDefinition: { buildType: string; externalParameters: object; internalParameters: { observed: object } };
      runDetails: { builder: { id: string; version: object }; metadata?: object };
    };
    assert.match(buildDefinition.buildType, /registry-observation/);
    assert.match(runDetails.builder.id, /\/builder\/registry-observer\/v1$/);
    assert.deepEqual(runDetails.builder.version, { attestry: TOOL_VERSION });
    assert.deepEqual(buildDefinition.externalParameters, { image: `${REGISTRY}/${repository}@${digest}` });
    assert.equal(runDetails.metadata, undefined);
    assert.doesNotMatch(payload.toString(), /startedOn|finishedOn|invocationId/);
  });

  test('a second attest finds everything there and writes nothing', async () => {
    const again = watchTarget(client);
    const report = await attest(enginePorts(again), repository, '1.0', wishes);
    assert.deepEqual(statesOf(report), ['cyclonedx present', 'slsaprovenance1 present']);
    assert.deepEqual(again.puts, []);
    assert.equal((await readAttached(client, repository, digest)).digest, attached.digest);
    assert.deepEqual(
      report.evidence.map((piece) => piece.digest),
      attached.layers.map((layer) => layer.digest),
    );
  });
});

test('the same repository, digest, configuration and version give the same statement bytes', async () => {
  await using other = await startRegistry();
  await using elsewhere = connect(other.url);
  const repository = 'same/bytes';
  const image = await smallIndex('same');
  const first = await statementsAfter(client, repository, 'v1', NOON, wishes);
  const second = await statementsAfter(elsewhere, repository, 'another-tag', MIDNIGHT, wishes);
  assert.deepEqual(second, first);
  assert.doesNotMatch(first.join(), /another-tag|"v1"|2026-0[67]/, 'no tag and no time of ours');
  const serials = first.flatMap((text) => /"serialNumber":"urn:uuid:[^"]+"/.exec(text) ?? []);
  assert.equal(new Set(serials).size, 3, 'each SBOM has a serial number of its own');

  async function statementsAfter(at: Target, name: string, tag: string, now: Date, wanted: readonly EvidenceWish[]) {
    await push(at, name, tag, image);
    const report = await attest(enginePorts(at, { now: () => now }), name, tag, wanted);
    const texts: string[] = [];
    for (const { subject, digest } of report.evidence) {
      const { layers } = await readAttached(at, name, subject);
      const layer = layers.find((each) => each.digest === digest);
      assert.ok(layer);
      texts.push((await readStatementOf(at, name, layer)).payload.toString());
    }
    return texts;
  }
});

const NOON = new Date('2026-06-01T12:00:00Z');
const MIDNIGHT = new Date('2026-07-09T00:00:00Z');

test('the predicateType is the configured one, and another one is another SBOM', async () => {
  const repository = 'first/type';
  const digest = await push(client, repository, '1.0', await smallImage('type'));
  const predicateType = 'https://cyclonedx.org/bom/v1.6';
  const report = await attest(enginePorts(client), repository, '1.0', [wishOf('cyclonedx', { signer, predicateType })]);
  assert.deepEqual(statesOf(report), ['cyclonedx created']);
  const versioned = layerAt(await readAttached(client, repository, digest), 0);
  assert.equal(versioned.annotations?.predicateType, predicateType);
  await attest(enginePorts(client), repository, '1.0', [wishOf('cyclonedx', { signer })]);
  const { layers } = await readAttached(client, repository, digest);
  assert.equal(layers.length, 2, 'evidence of another type of ours is left alone');
  assert.equal(layers[0]?.digest, versioned.digest);
  const [one, other] = await Promise.all(layers.map((layer) => readStatementOf(client, repository, layer)));
  assert.equal(other?.statement.predicateType, CYCLONEDX);
  assert.notEqual(one?.statement.predicate.serialNumber, other?.statement.predicate.serialNumber);
});

test('a plain key signs without certificate and chain', async () => {
  const { createKeySigner } = await import('#signing/key.ts');
  const repository = 'first/key';
  const digest = await push(client, repository, '1.0', await smallImage('key'));
  const plain = createKeySigner({ id: 'plain', keyPem: pki.leaf.keyPem });
  await attest(enginePorts(client), repository, '1.0', bothWishes({ signer: plain }));
  const { layers } = await readAttached(client, repository, digest);
  assert.deepEqual(Object.keys(layers[0]?.annotations ?? {}), ['dev.cosignproject.cosign/signature', 'predicateType']);
  const again = watchTarget(client);
  await attest(enginePorts(again), repository, '1.0', bothWishes({ signer: plain }));
  assert.deepEqual(again.puts, []);
});

test('the push of the manifest is announced as our own before the registry may tell of it', async () => {
  const repository = 'first/announced';
  const digest = await push(client, repository, '1.0', await smallImage('announced'));
  const announced: string[] = [];
  const target = watchTarget(client);
  target.before('pushManifest', /\.att$/, async () => void announced.push('PUT'));
  const ownPushes = {
    announce: async (name: string, manifest: Digest) => void announced.push(`${name}@${manifest}`),
    has: async () => false,
    over: async () => undefined,
  };
  await attest(enginePorts(target, { ownPushes }), repository, '1.0', wishes);
  const manifest = await client.resolve(repository, attestationTagOf(digest));
  assert.deepEqual(announced, [`${REGISTRY}/${repository}@${manifest.digest}`, 'PUT']);
  assert.equal(
    createHash('sha256')
      .update(await bytesOf(repository, manifest))
      .digest('hex'),
    digestHex(manifest.digest),
  );
});

async function bytesOf(repository: string, { digest }: Descriptor): Promise<Uint8Array> {
  return (await client.manifest(repository, digest)).bytes;
}

function layerAt({ layers }: Attached, at: number): Descriptor {
  const layer = layers[at];
  assert.ok(layer, `layer ${at}`);
  return layer;
}

function zip<A, B>(first: readonly A[], second: readonly B[]): readonly (readonly [A, B])[] {
  assert.equal(first.length, second.length);
  return first.map((one, at) => [one, second[at] as B]);
}
