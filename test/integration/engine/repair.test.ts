import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { processWrittenStore } from '#cli/local-engine.ts';
import type { EnginePorts } from '#engine/engine-ports.ts';
import type { Digest } from '#model/digest.ts';
import { COSIGN_CERTIFICATE, COSIGN_SIGNATURE } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';
import type { FixedSigner } from '#signing/signer.ts';
import {
  type Attached,
  attachedDigests,
  junkAttachment,
  overwriteAttached,
  readAttached,
} from '../../support/attachments.ts';
import { attest, bothWishes, enginePorts, signerOf, statesOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { type WatchedTarget, watchTarget } from '../../support/watched-target.ts';

const real = signerOf(makePki());
const junk = junkAttachment('of another tool', { 'org.example/by': 'another tool' });
const _more = junkAttachment('and one more');

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

interface Attested {
  readonly repository: string;
  readonly subject: Digest;
  readonly target: WatchedTarget;
  readonly ports: EnginePorts;
  readonly first: Attached;
  /** How often something was signed since. */
  signatures(): number;
  again(more?: Parameters<typeof attest>[4]): Promise<readonly string[]>;
}

/** An image that was attested, with the memory of it and a signer that counts. */
async function attested(name: string): Promise<Attested> {
  const repository = `repair/${name}`;
  const subject = await push(client, repository, '1.0', await smallImage(name));
  let signed = 0;
  const signer: FixedSigner = {
    ...real,
    signer: {
      sign: (data) => {
        signed += 1;
        return real.signer.sign(data);
      },
    },
  };
  const target = watchTarget(client);
  const ports = enginePorts(target, { written: processWrittenStore() });
  const wishes = bothWishes({ signer });
  await attest(ports, repository, '1.0', wishes);
  signed = 0;
  return {
    repository,
    subject,
    target,
    ports,
    first: await readAttached(client, repository, subject),
    signatures: () => signed,
    again: async (options) => statesOf(await attest(ports, repository, '1.0', wishes, options)),
  };
}

async function deleteBlob(repository: string, digest: Digest): Promise<void> {
  const response = await fetch(new URL(`/v2/${repository}/blobs/${digest}`, registry.url), { method: 'DELETE' });
  assert.equal(response.status, 202);
}

const RESTORED = ['cyclonedx restored', 'slsaprovenance1 restored'];
const PRESENT = ['cyclonedx present', 'slsaprovenance1 present'];

test('a deleted tag is written again with the same blobs, and nothing is signed', async () => {
  const { repository, subject, first, again, signatures } = await attested('deleted');
  await client.deleteManifest(repository, first.digest);
  assert.deepEqual(await again(), RESTORED);
  assert.equal((await readAttached(client, repository, subject)).digest, first.digest, 'the very same manifest');
  assert.equal(signatures(), 0);
  assert.deepEqual(await again(), PRESENT);
});

test('a tag that another tool overwrote lists ours again, after theirs', async () => {
  const { repository, subject, first, again, signatures } = await attested('overwritten');
  await overwriteAttached(client, repository, subject, [junk]);
  assert.deepEqual(await again(), RESTORED);
  const { layers } = await readAttached(client, repository, subject);
  assert.deepEqual(layers, [junk.descriptor, ...first.layers]);
  assert.equal(signatures(), 0);
});

test('a tag that another tool emptied, and one that lost half of ours', async () => {
  const emptied = await attested('emptied');
  await overwriteAttached(client, emptied.repository, emptied.subject, []);
  assert.deepEqual(await emptied.again(), RESTORED);
  const halved = await attested('halved');
  const [sbom] = halved.first.layers;
  assert.ok(sbom);
  await overwriteAttached(client, halved.repository, halved.subject, [{ descriptor: sbom }]);
  assert.deepEqual(await halved.again(), ['cyclonedx present', 'slsaprovenance1 restored']);
  assert.deepEqual((await readAttached(client, halved.repository, halved.subject)).layers, halved.first.layers);
  assert.equal(emptied.signatures() + halved.signatures(), 0);
});

test('a tool that lists our blobs without their certificates is put right, unsigned', async () => {
  const { repository, subject, first, again, signatures, target } = await attested('stripped');
  const bare = first.layers.map(({ mediaType, digest, size }) => ({ descriptor: { mediaType, digest, size } }));
  await overwriteAttached(client, repository, subject, [junk, ...bare]);
  assert.deepEqual(await again(), RESTORED);
  const { layers } = await readAttached(client, repository, subject);
  assert.deepEqual(layers, [junk.descriptor, ...first.layers]);
  assert.ok(layers.at(-1)?.annotations?.[COSIGN_CERTIFICATE]);
  assert.equal(signatures(), 0);
  assert.equal(target.puts.length, 2, 'one for the first time, one for the repair');
});

test('a layer that lost the empty annotation without which Kyverno does not read it is put right', async () => {
  const { repository, subject, first, again, signatures } = await attested('unread');
  const unread = first.layers.map((layer) => {
    const { [COSIGN_SIGNATURE]: _, ...annotations } = layer.annotations ?? {};
    return { descriptor: { ...layer, annotations } };
  });
  await overwriteAttached(client, repository, subject, unread);
  assert.deepEqual(await again(), RESTORED);
  assert.deepEqual((await readAttached(client, repository, subject)).layers, first.layers);
  assert.equal(signatures(), 0);
});

test('annotations that another tool adds to ours are no reason to write', async () => {
  const { repository, subject, first, again, target } = await attested('annotated');
  const added = first.layers.map((layer) => ({
    descriptor: { ...layer, annotations: { ...layer.annotations, 'org.example/seen': 'yes' } },
  }));
  await overwriteAttached(client, repository, subject, added);
  assert.deepEqual(await again(), PRESENT);
  assert.equal(target.puts.length, 1);
});

test('a blob that is gone is made anew; what is left of ours is listed again', async () => {
  const { repository, subject, first, again, signatures } = await attested('gone');
  const [sbom, provenance] = first.layers;
  assert.ok(sbom && provenance);
  await deleteBlob(repository, sbom.digest);
  await client.deleteManifest(repository, first.digest);
  assert.deepEqual(await again(), ['cyclonedx created', 'slsaprovenance1 restored']);
  const digests = await attachedDigests(client, repository, subject);
  assert.equal(digests.length, 2);
  assert.ok(digests.includes(provenance.digest));
  assert.ok(!digests.includes(sbom.digest));
  assert.equal(signatures(), 1);
  assert.deepEqual(await again(), PRESENT);
});

test('a blob that is gone while its tag still lists it is replaced', async () => {
  const { repository, subject, first, again } = await attested('gone-listed');
  const [sbom, provenance] = first.layers;
  assert.ok(sbom && provenance);
  await deleteBlob(repository, sbom.digest);
  assert.deepEqual(await again(), ['cyclonedx replaced', 'slsaprovenance1 present']);
  const digests = await attachedDigests(client, repository, subject);
  assert.deepEqual([digests[0], digests.length], [provenance.digest, 2]);
});

test('without leave to sign, a lapse signs what we had signed before, and nothing else', async () => {
  const { repository, first, again, signatures } = await attested('lapsed');
  for (const { digest } of first.layers) await deleteBlob(repository, digest);
  await client.deleteManifest(repository, first.digest);
  assert.deepEqual(await again({ maySign: false, mayRestore: false }), [
    'cyclonedx refused',
    'slsaprovenance1 refused',
  ]);
  assert.deepEqual(await again({ maySign: false, mayRestore: true }), ['cyclonedx refused', 'slsaprovenance1 refused']);
  const forOthers = { maySign: false, mayRestore: true, mayRenew: (before?: { rule: string }) => before === undefined };
  assert.deepEqual(await again(forOthers), ['cyclonedx refused', 'slsaprovenance1 refused']);
  assert.equal(signatures(), 0);
  const restored = await again({ maySign: false, mayRestore: true, mayRenew: () => true });
  assert.deepEqual(restored, ['cyclonedx created', 'slsaprovenance1 created']);
  assert.equal(signatures(), 2);
});

test('a rule that only alerts leaves even what could be listed again', async () => {
  const { repository, subject, first, again, target } = await attested('left');
  await client.deleteManifest(repository, first.digest);
  assert.deepEqual(await again({ maySign: false, mayRestore: false }), [
    'cyclonedx refused',
    'slsaprovenance1 refused',
  ]);
  assert.equal(target.puts.length, 1);
  await assert.rejects(readAttached(client, repository, subject), { code: 'not-found' });
});

test('another writer between our read and our PUT: theirs and ours are both there', async () => {
  const { repository, subject, first, again, target, signatures } = await attested('before-put');
  await client.deleteManifest(repository, first.digest);
  target.before('pushBlob', /config/, async () => void (await overwriteAttached(client, repository, subject, [junk])));
  assert.deepEqual(await again(), RESTORED);
  assert.deepEqual((await readAttached(client, repository, subject)).layers, [junk.descriptor, ...first.layers]);
  assert.equal(signatures(), 0);
});
