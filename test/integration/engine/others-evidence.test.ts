import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { Target } from '#oci/target.ts';
import { chainAttestor } from '#verification/attestor-from-pem.ts';
import {
  type Attachment,
  attachedDigests,
  junkAttachment,
  overwriteAttached,
  readAttached,
  readStatementOf,
  signedAttachment,
} from '../../support/attachments.ts';
import { attest, bothWishes, enginePorts, signerOf, statesOf, wishOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { watchTarget } from '../../support/watched-target.ts';

const CYCLONEDX = 'https://cyclonedx.org/bom';
const PROVENANCE = 'https://slsa.dev/provenance/v1';
const ownPki = makePki();
const signer = signerOf(ownPki);
const otherPki = makePki({ root: { subject: 'Another Root' }, leaf: { subject: 'Another Signer' } });
const otherSigner = signerOf(otherPki, 'another');
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

/** What somebody else attached: good evidence of another CA, an unparsable layer, one of another type and annotations. */
async function foreignLayers(subject: Digest): Promise<readonly Attachment[]> {
  const signed = await signedAttachment(otherSigner, subject, CYCLONEDX);
  return [
    signed,
    junkAttachment('{"payloadType": 7', { 'org.example/kept': 'as it is' }),
    junkAttachment('no JSON at all'),
    await signedAttachment(otherSigner, subject, PROVENANCE, { builder: 'theirs' }),
  ];
}

async function imageWith(repository: string, foreign: (subject: Digest) => Promise<readonly Attachment[]>) {
  const subject = await push(client, repository, '1.0', await smallImage(repository.replaceAll('/', '-')));
  const attachments = await foreign(subject);
  await overwriteAttached(client, repository, subject, attachments);
  return { subject, theirs: attachments.map(({ descriptor }) => descriptor) };
}

function listedOf(layers: readonly Descriptor[], wanted: readonly Descriptor[]): readonly Descriptor[] {
  return layers.filter(({ digest }) => wanted.some((each) => each.digest === digest));
}

test('ours are appended after the evidence of others, which keeps its place, bytes and annotations', async () => {
  const repository = 'others/appended';
  const { subject, theirs } = await imageWith(repository, foreignLayers);
  const report = await attest(enginePorts(client), repository, '1.0', wishes);
  assert.deepEqual(statesOf(report), ['cyclonedx created', 'slsaprovenance1 created']);
  const { layers, config } = await readAttached(client, repository, subject);
  assert.deepEqual(layers.slice(0, theirs.length), theirs);
  assert.equal(layers.length, theirs.length + 2);
  assert.deepEqual(
    (config.rootfs as { diff_ids: string[] }).diff_ids,
    layers.map((layer) => layer.digest),
  );
});

test('one type after the other: none is lost', async () => {
  const repository = 'others/one-by-one';
  const { subject, theirs } = await imageWith(repository, foreignLayers);
  for (const wish of wishes) await attest(enginePorts(client), repository, '1.0', [wish]);
  const { layers } = await readAttached(client, repository, subject);
  assert.deepEqual(layers.slice(0, theirs.length), theirs);
  const ours = await Promise.all(
    layers.slice(theirs.length).map((layer) => readStatementOf(client, repository, layer)),
  );
  assert.deepEqual(
    ours.map(({ statement }) => statement.predicateType),
    [CYCLONEDX, PROVENANCE],
  );
});

test('--force replaces our own in one PUT and leaves the evidence of others as it is', async () => {
  const repository = 'others/forced';
  const { subject, theirs } = await imageWith(repository, foreignLayers);
  await attest(enginePorts(client), repository, '1.0', wishes);
  const before = await attachedDigests(client, repository, subject);
  const target = watchTarget(client);
  const report = await attest(enginePorts(target), repository, '1.0', wishes, { force: true });
  assert.deepEqual(statesOf(report), ['cyclonedx replaced', 'slsaprovenance1 replaced']);
  assert.equal(target.puts.length, 1);
  const { layers } = await readAttached(client, repository, subject);
  assert.deepEqual(layers.slice(0, theirs.length), theirs);
  assert.equal(layers.length, before.length, 'nothing is listed twice');
  const kept = layers.slice(theirs.length).filter(({ digest }) => before.includes(digest));
  assert.deepEqual(kept, [], 'both were signed anew');
});

test('--force of one type leaves our other type alone', async () => {
  const repository = 'others/forced-one';
  const { subject } = await imageWith(repository, foreignLayers);
  await attest(enginePorts(client), repository, '1.0', wishes);
  const before = await attachedDigests(client, repository, subject);
  await attest(enginePorts(client), repository, '1.0', wishes.slice(0, 1), { force: true });
  const after = await attachedDigests(client, repository, subject);
  const [sbomBefore, provenanceBefore] = before.slice(-2);
  assert.ok(provenanceBefore && after.includes(provenanceBefore));
  assert.ok(sbomBefore && !after.includes(sbomBefore));
});

test('what another signer signed is present when the trust of the rule bears it', async () => {
  const repository = 'others/trusted';
  const { subject, theirs } = await imageWith(repository, async (digest) => [
    await signedAttachment(otherSigner, digest, CYCLONEDX),
  ]);
  const attestor = chainAttestor({ roots: `${ownPki.root.pem}${otherPki.root.pem}`, requireLog: false });
  const report = await attest(enginePorts(client), repository, '1.0', bothWishes({ signer, attestor }));
  assert.deepEqual(statesOf(report), ['cyclonedx present', 'slsaprovenance1 created']);
  const { layers } = await readAttached(client, repository, subject);
  assert.deepEqual(listedOf(layers, theirs), theirs);
  assert.equal(layers.length, 2);
});

test('what another signer signed is missing when the trust of the rule does not bear it', async () => {
  const repository = 'others/distrusted';
  const { subject, theirs } = await imageWith(repository, async (digest) => [
    await signedAttachment(otherSigner, digest, CYCLONEDX),
  ]);
  const report = await attest(enginePorts(client), repository, '1.0', [wishOf('cyclonedx', { signer })]);
  assert.deepEqual(statesOf(report), ['cyclonedx created']);
  assert.deepEqual((await readAttached(client, repository, subject)).layers.slice(0, 1), theirs);
});

test('evidence of the trusted signer about another digest, or tampered with, is not present', async () => {
  const repository = 'others/about-another';
  const elsewhere = await push(client, 'others/elsewhere', '1.0', await smallImage('elsewhere'));
  const { theirs, subject } = await imageWith(repository, async (digest) => {
    const good = await signedAttachment(signer, digest, CYCLONEDX, { sound: true });
    const envelope = JSON.parse(Buffer.from(good.bytes ?? []).toString()) as { payload: string };
    const changed = Buffer.from(envelope.payload, 'base64').toString().replace('"sound":true', '"sound":null');
    const tampered = JSON.stringify({ ...envelope, payload: Buffer.from(changed).toString('base64') });
    return [
      await signedAttachment(signer, elsewhere, CYCLONEDX),
      junkAttachment(tampered, good.descriptor.annotations ?? {}),
    ];
  });
  const report = await attest(enginePorts(client), repository, '1.0', [wishOf('cyclonedx', { signer })]);
  assert.deepEqual(statesOf(report), ['cyclonedx created']);
  assert.deepEqual((await readAttached(client, repository, subject)).layers.slice(0, 2), theirs);
});

test('evidence for the same digest under another name is not missing', async () => {
  const image = await smallImage('two-names');
  const central = `registry.test/others/central`;
  await push(client, 'others/name-one', '1.0', image);
  const subject = await push(client, 'others/name-two', '1.0', image);
  const shared = bothWishes({ signer, repository: central });
  await attest(enginePorts(client), 'others/name-one', '1.0', shared);
  const { digest } = await readAttached(client, 'others/central', subject);
  const target = watchTarget(client);
  const report = await attest(enginePorts(target), 'others/name-two', '1.0', shared);
  assert.deepEqual(statesOf(report), ['cyclonedx present', 'slsaprovenance1 present']);
  assert.deepEqual(target.puts, []);
  assert.equal((await readAttached(client, 'others/central', subject)).digest, digest);
});

test('without leave to sign, what is missing is refused and nothing is written', async () => {
  const repository = 'others/refused';
  const { subject, theirs } = await imageWith(repository, foreignLayers);
  const target = watchTarget(client);
  const report = await attest(enginePorts(target), repository, '1.0', wishes, { maySign: false });
  assert.deepEqual(statesOf(report), ['cyclonedx refused', 'slsaprovenance1 refused']);
  assert.deepEqual(target.puts, []);
  assert.deepEqual((await readAttached(client, repository, subject)).layers, theirs);
});

test('a blob of others that is gone stays listed, and is named when the registry takes no list with it', async () => {
  const repository = 'others/blob-gone';
  const { subject, theirs } = await imageWith(repository, foreignLayers);
  const gone = theirs[2]?.digest;
  assert.ok(gone);
  const deleted = await fetch(new URL(`/v2/${repository}/blobs/${gone}`, registry.url), { method: 'DELETE' });
  assert.equal(deleted.status, 202);
  const target = watchTarget(client);
  await assert.rejects(attest(enginePorts(target), repository, '1.0', wishes), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'registry-refused');
    assert.ok(error.message.includes(gone), error.message);
    assert.match(error.mend ?? '', /upload the blobs again/);
    return true;
  });
  assert.deepEqual((await readAttached(client, repository, subject)).layers, theirs);
});

test('an index at the attestation tag is read as the verifiers do, and never overwritten', async () => {
  const repository = 'others/index';
  const subject = await push(client, repository, '1.0', await smallImage('others-index'));
  const child = await overwriteAttached(client, repository, subject, await foreignLayers(subject));
  const { descriptor } = await client.manifest(repository, child);
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [descriptor] };
  const tag = `${subject.replace(':', '-')}.att`;
  await client.pushManifest(repository, tag, Buffer.from(JSON.stringify(index)), index.mediaType);
  const before = await client.resolve(repository, tag);
  const attestor = chainAttestor({ roots: otherPki.root.pem, requireLog: false });
  const read = await attest(enginePorts(client), repository, '1.0', [wishOf('cyclonedx', { signer, attestor })]);
  assert.deepEqual(statesOf(read), ['cyclonedx present']);
  await assert.rejects(attest(enginePorts(client), repository, '1.0', wishes), {
    code: 'media-type-unsupported',
    message: /holds an index/,
  });
  assert.deepEqual(await client.resolve(repository, tag), before);
});
