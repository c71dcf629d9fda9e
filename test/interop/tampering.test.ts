import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { attest, verify } from '../support/attested.ts';
import { chainSet, clusterPolicy } from '../support/cluster-policy.ts';
import { cosignVerify, trustByChain, trustByRoots } from '../support/cosign.ts';
import { type PushedImage, pushTestImage } from '../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { connect } from '../support/registry-target.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { type SigningFiles, writeSigningFiles } from '../support/signing-files.ts';
import { type Change, flipDigestDigit, flipLast, rewriteTag } from '../support/tampered-tag.ts';

let registry: TestRegistry;
let scratch: Scratch;
let files: SigningFiles;
let policy: string;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  files = await writeSigningFiles(scratch);
  policy = await scratch.write(
    'policy.yaml',
    clusterPolicy([chainSet([files.pki.chainPem])], { element: { imageReferences: [`${registry.host}/*`] } }),
  );
});

after(async () => {
  await Promise.all([registry.stop(), scratch[Symbol.asyncDispose]()]);
});

/** An image whose evidence was rewritten after we attached it. */
async function rewritten(name: string, change: Change): Promise<PushedImage> {
  const image = await pushTestImage(registry.host, { repository: `team/${name}` });
  await attest([image.reference, ...files.flags]);
  await using target = connect(registry.url);
  await rewriteTag(target, image.repository, `${image.digest.replace(':', '-')}.att`, change);
  return image;
}

/** What cosign, our strict reading and our emulation of Kyverno say of the provenance: 0, or not. */
async function judgements({ reference }: PushedImage) {
  const type = 'slsaprovenance1';
  return {
    byRoots: (await cosignVerify(scratch, reference, type, trustByRoots(files))).code === 0,
    byChain: (await cosignVerify(scratch, reference, type, trustByChain(files))).code === 0,
    strict: (await verify([reference, '--type', type, '--ca-roots', files.roots])).code === 0,
    underPolicy: (await verify([reference, '--policy', policy])).code === 0,
  };
}

const ALL = (holds: boolean) => ({ byRoots: holds, byChain: holds, strict: holds, underPolicy: holds });

describe('evidence that was changed in the registry', () => {
  it('holds when it was rewritten as it is: the changes below are what is refused', async () => {
    assert.deepEqual(await judgements(await rewritten('same', {})), ALL(true));
  });

  for (const [name, change] of [
    ['payload', { payload: flipDigestDigit }],
    ['signature', { signature: flipLast }],
    ['certificate', { certificate: flipLast }],
  ] as const) {
    it(`is refused by cosign and by us with one byte of the ${name} changed`, async () => {
      assert.deepEqual(await judgements(await rewritten(name, change)), ALL(false));
    });
  }

  it('is refused by both at the tag of another image', async () => {
    const from = await pushTestImage(registry.host, { repository: 'team/moved', packages: { bash: '1' } });
    const to = await pushTestImage(registry.host, { repository: 'team/moved', tag: '2.0', packages: { bash: '2' } });
    await attest([from.reference, ...files.flags]);
    await using target = connect(registry.url);
    const stored = await target.manifest(from.repository, `${from.digest.replace(':', '-')}.att`);
    const tag = `${to.digest.replace(':', '-')}.att`;
    await target.pushManifest(to.repository, tag, stored.bytes, stored.descriptor.mediaType);
    assert.deepEqual(await judgements(to), ALL(false));
    assert.deepEqual(await judgements(from), ALL(true));
  });
});
