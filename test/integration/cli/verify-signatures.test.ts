import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { digestTag, sha256 } from '#model/digest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '#model/media-types.ts';
import { gist, verify } from '../../support/attested.ts';
import { clusterPolicy } from '../../support/cluster-policy.ts';
import { imageSignature } from '../../support/image-signature.ts';
import { makePki, type Pki } from '../../support/pki.ts';
import { type PushedImage, pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { publicPem } from '../../support/rekor-log.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

let registry: TestRegistry;
let scratch: Scratch;
let image: PushedImage;
const signer: Pki = makePki();
const other: Pki = makePki();

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  image = await pushTestImage(registry.host);
});

after(async () => {
  await Promise.all([registry[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

async function signImage(): Promise<void> {
  await using target = connect(registry.url);
  const layer = imageSignature(signer.leaf.key, { image: image.digest, annotations: { team: 'blue' } });
  const config = Buffer.from('{"architecture":"","os":"","rootfs":{"type":"layers","diff_ids":[]},"config":{}}');
  await target.pushBlob('team/app', layer.bytes, layer.descriptor.mediaType);
  await target.pushBlob('team/app', config, OCI_CONFIG);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: sha256(config), size: config.length },
    layers: [layer.descriptor],
  });
  await target.pushManifest('team/app', digestTag(image.digest, '.sig'), Buffer.from(manifest), OCI_MANIFEST);
}

function policy(name: string, key: Pki, annotations?: object): Promise<string> {
  const keys = {
    publicKeys: publicPem(key.leaf.publicKey),
    rekor: { ignoreTlog: true },
    ctlog: { ignoreSCT: true },
  };
  const attestors = [{ entries: [{ keys, ...(annotations ? { annotations } : {}) }] }];
  const element = { imageReferences: [`${registry.host}/*`], attestations: [], attestors };
  return scratch.write(`${name}.yaml`, clusterPolicy([], { name, element }));
}

it('judges the signatures of an image, read from its signature tag', async () => {
  const files = [
    await policy('by-signer', signer),
    await policy('by-other', other),
    await policy('blue', signer, { team: 'blue' }),
    await policy('red', signer, { team: 'red' }),
  ];
  const flags = files.flatMap((file) => ['--policy', file]);
  const unsigned = await verify([image.reference, ...flags]);
  assert.deepEqual([unsigned.code, ...gist(unsigned)], [1, ...Array(4).fill('fail: evidence-missing')]);
  await signImage();
  const signed = await verify([image.reference, ...flags]);
  assert.deepEqual(
    [signed.code, ...gist(signed)],
    [1, 'pass: verified', 'fail: evidence-invalid signature-invalid', 'pass: verified', 'fail: annotations-missing'],
  );
});
