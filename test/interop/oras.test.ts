import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { layoutsOf } from '#model/layout-choice.ts';
import { SIGSTORE_BUNDLE_V03 } from '#model/media-types.ts';
import { runCli } from '../support/cli.ts';
import { type PushedImage, pushTestImage } from '../support/pushed-image.ts';
import { connect } from '../support/registry-target.ts';
import type { Cell } from './matrix/cell.ts';
import { type RunningRegistry, startRegistryKind } from './matrix/registries.ts';
import { REGISTRY_KINDS, type RegistryKind } from './matrix/registry-kinds.ts';
import { SIGNERS, type SignerName } from './matrix/signer-names.ts';
import { makeSigner, type SignerFiles, writeSignerFiles } from './matrix/signers.ts';
import { heldLayouts, judgeAll } from './matrix/verifiers/attestry.ts';
import { strictAttestor } from './matrix/verifiers/attestry-trust.ts';
import { askCosign } from './matrix/verifiers/cosign.ts';
import { writeOurs } from './matrix/write-ours.ts';
import { discover, oras } from './oras/oras.ts';
import { type SigstoreStack, startSigstoreStack } from './stack/sigstore-stack.ts';

const SIGNER: SignerName = 'keyless + Rekor v1 + timestamp';

let stack: SigstoreStack;
let files: SignerFiles;
const registries = new Map<RegistryKind, RunningRegistry>();
const images = new Map<RegistryKind, PushedImage>();
let copies = 0;

before(async () => {
  stack = await startSigstoreStack();
  files = await writeSignerFiles(stack);
  for (const kind of REGISTRY_KINDS) {
    const registry = await startRegistryKind(kind, stack.scratch);
    registries.set(kind, registry);
    const image = await pushTestImage(registry.host, { repository: 'team/source', index: true });
    await using target = connect(new URL(`http://${registry.host}/`));
    await using signer = await makeSigner(SIGNER, stack, files);
    const wanted = { asked: 'attestation', layouts: layoutsOf('both'), signer, name: SIGNER } as const;
    await writeOurs(target, registry.host, image, wanted, { stack, files });
    images.set(kind, image);
  }
});

after(async () => {
  for (const registry of registries.values()) await registry[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
});

function sourceIn(kind: RegistryKind): PushedImage {
  const image = images.get(kind);
  assert.ok(image);
  return image;
}

function newPlace(kind: RegistryKind): string {
  copies += 1;
  return `${registries.get(kind)?.host}/team/copy-${copies}:1.0`;
}

/** The layouts whose evidence holds at a place, by our own reading. */
async function heldAt(reference: string) {
  const attestor = await strictAttestor('keyless', SIGNERS[SIGNER].testimonies, { stack, files });
  return heldLayouts(await judgeAll(reference, attestor), 'attestation').toSorted();
}

async function cosignAccepts(reference: string, layouts: Cell['layouts']): Promise<void> {
  const { accepted, said } = await askCosign(
    3,
    { reference, asked: 'attestation', layouts, ...SIGNERS[SIGNER] },
    { stack, files },
  );
  assert.ok(accepted, said);
}

for (const kind of REGISTRY_KINDS) {
  describe(`oras and what we attach in ${kind}`, () => {
    it('discover lists the bundle by its type and predicate type', async () => {
      const [found, ...more] = await discover(stack.scratch.dir, sourceIn(kind).reference);
      assert.equal(more.length, 0);
      assert.equal(found?.artifactType, SIGSTORE_BUNDLE_V03);
      assert.equal(found.annotations?.['dev.sigstore.bundle.predicateType'], 'https://cyclonedx.org/bom');
    });

    it('pull brings the bundle as a file', async () => {
      const { reference } = sourceIn(kind);
      const [found] = await discover(stack.scratch.dir, reference);
      assert.ok(found);
      const out = stack.scratch.at(`pulled-${kind}`);
      const name = `${reference.replace(/:[^:/]*$/, '')}@${found.digest}`;
      await oras(stack.scratch.dir, ['pull', '--plain-http', '-o', out, name]);
      const [file] = await readdir(out);
      const bundle = JSON.parse(await readFile(`${out}/${file}`, 'utf8'));
      assert.equal(bundle.mediaType, SIGSTORE_BUNDLE_V03);
    });

    for (const other of REGISTRY_KINDS) {
      it(`cp -r carries the bundle to ${other}, where it verifies; cosign's tag stays behind`, async () => {
        const { reference } = sourceIn(kind);
        const copy = newPlace(other);
        await oras(stack.scratch.dir, ['cp', '-r', '--from-plain-http', '--to-plain-http', reference, copy]);
        assert.equal((await discover(stack.scratch.dir, copy)).length, 1);
        await cosignAccepts(copy, ['bundle']);
        assert.deepEqual(await heldAt(copy), ['bundle']);
      });

      it(`attestry copy brings both to ${other}`, async () => {
        const { reference } = sourceIn(kind);
        const copy = newPlace(other);
        const { code, stderr } = await runCli(['copy', reference, copy, '--quiet']);
        assert.equal(code, 0, stderr);
        await cosignAccepts(copy, ['bundle']);
        assert.deepEqual(await heldAt(copy), ['bundle', 'cosign-tag']);
      });
    }
  });
}
