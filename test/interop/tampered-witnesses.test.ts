import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import type { Target } from '#oci/target.ts';
import { type PushedImage, pushTestImage } from '../support/pushed-image.ts';
import { connect } from '../support/registry-target.ts';
import { type RunningRegistry, startRegistryKind } from './matrix/registries.ts';
import { SIGNERS } from './matrix/signer-names.ts';
import { makeSigner, writeSignerFiles } from './matrix/signers.ts';
import { ask, type Bench } from './matrix/verifiers/ask.ts';
import { prepareKyvernoHome } from './matrix/verifiers/kyverno.ts';
import { writeOurs } from './matrix/write-ours.ts';
import { startSigstoreStack } from './stack/sigstore-stack.ts';
import { TAMPER_CASES, type TamperCase } from './tamper/expectations.ts';
import { BUNDLE_PARTS, LAYER_PARTS, type Tamper } from './tamper/parts.ts';
import { transplant } from './tamper/transplant.ts';

let bench: Bench;
let registry: RunningRegistry;
let target: Target & AsyncDisposable;
let repositories = 0;

before(async () => {
  const stack = await startSigstoreStack();
  // Its storage is on disk, and no blob of one repository is seen from another.
  registry = await startRegistryKind('distribution-3', stack.scratch);
  target = connect(new URL(`http://${registry.host}/`));
  const files = await writeSignerFiles(stack);
  const kyvernoHome = stack.scratch.at('kyverno');
  await mkdir(kyvernoHome);
  const { reference } = await newImage();
  await prepareKyvernoHome(kyvernoHome, reference, { stack, files });
  bench = { stack, files, kyvernoHome };
});

after(async () => {
  await target[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await bench.stack[Symbol.asyncDispose]();
});

/** The same image each time, in a repository of its own. */
function newImage(): Promise<PushedImage> {
  repositories += 1;
  return pushTestImage(registry.host, { repository: `team/tampered-${repositories}` });
}

for (const tamperCase of TAMPER_CASES) {
  const { signer, layout, readers } = tamperCase;
  describe(`evidence by ${signer} as ${layout}`, () => {
    let original: PushedImage;

    before(async () => {
      original = await newImage();
      await using own = await makeSigner(signer, bench.stack, bench.files);
      const wanted = { asked: 'attestation', layouts: [layout], signer: own, name: signer } as const;
      await writeOurs(target, registry.host, original, wanted, bench);
    });

    it('is accepted by all when it was moved as it is', async () => {
      assert.deepEqual((await accepting(tamperCase, 'nothing')).accepted, readers);
    });

    for (const [part, still] of Object.entries(tamperCase.parts)) {
      const others = still.length === 0 ? '' : `, but by ${still.join(', ')}, who do not need it`;
      it(`is refused with a changed ${part}${others}`, async () => {
        const { accepted, said } = await accepting(tamperCase, part);
        assert.deepEqual(accepted, still, said);
        assert.ok(!accepted.includes('attestry'));
      });
    }

    async function accepting({ layout: place }: TamperCase, part: string) {
      const parts: Readonly<Record<string, Tamper>> = place === 'bundle' ? BUNDLE_PARTS : LAYER_PARTS;
      const tamper = parts[part];
      assert.ok(tamper, part);
      const image = await newImage();
      await transplant(target, registry.host, original, image, place, tamper);
      const cell = { reference: image.reference, asked: 'attestation', layouts: [place], ...SIGNERS[signer] } as const;
      const judged = await Promise.all(readers.map((verifier) => ask(verifier, cell, bench)));
      const accepted = readers.filter((_, at) => judged[at]?.accepted === true);
      return { accepted, said: readers.map((name, at) => `${name}: ${judged[at]?.said.slice(-500)}`).join('\n') };
    }
  });
}
