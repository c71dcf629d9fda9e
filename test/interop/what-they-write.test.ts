import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { toolPath } from '../../scripts/setup/go-tools.mjs';
import { CLONE } from '../support/cli.ts';
import { pushTestImage } from '../support/pushed-image.ts';
import { runCommand } from '../support/run-command.ts';
import type { Cell } from './matrix/cell.ts';
import { ASKED } from './matrix/plan.ts';
import { type RunningRegistry, startRegistryKind } from './matrix/registries.ts';
import { REGISTRY_KINDS, type RegistryKind } from './matrix/registry-kinds.ts';
import { writeSignerFiles } from './matrix/signers.ts';
import { askAttestry, judgeAll } from './matrix/verifiers/attestry.ts';
import { strictAttestor } from './matrix/verifiers/attestry-trust.ts';
import { askCosign } from './matrix/verifiers/cosign.ts';
import { startSigstoreStack } from './stack/sigstore-stack.ts';
import { BOM } from './theirs/bom.ts';
import { type CosignBench, cosign, cosignWrites, WRITERS, writerName } from './theirs/writers.ts';

let bench: CosignBench;
const registries = new Map<RegistryKind, RunningRegistry>();
let images = 0;

before(async () => {
  const stack = await startSigstoreStack();
  for (const kind of REGISTRY_KINDS) registries.set(kind, await startRegistryKind(kind, stack.scratch));
  const files = await writeSignerFiles(stack);
  await stack.scratch.write('bom.json', JSON.stringify(BOM));
  const trust = { stack, files };
  await cosign(2, ['import-key-pair', '--key', files.key.key, '-o', 'plain'], trust);
  await cosign(2, ['import-key-pair', '--key', files.x509.key, '-o', 'certified'], trust);
  const noServices = stack.scratch.at('no-services.json');
  const env = { HOME: stack.scratch.dir };
  await runCommand(toolPath(CLONE, 'cosign3'), ['signing-config', 'create', '--out', noServices], { env });
  bench = { ...trust, key: stack.scratch.at('plain.key'), certified: stack.scratch.at('certified.key'), noServices };
});

after(async () => {
  for (const registry of registries.values()) await registry[Symbol.asyncDispose]();
  await bench.stack[Symbol.asyncDispose]();
});

async function newImage(registry: RegistryKind): Promise<string> {
  images += 1;
  const packages = { bash: '5.2', number: String(images) };
  const host = registries.get(registry)?.host ?? '';
  return (await pushTestImage(host, { repository: `team/theirs-${images}`, packages })).reference;
}

for (const registry of REGISTRY_KINDS) {
  describe(`what cosign attaches in ${registry}`, () => {
    for (const writer of WRITERS) {
      for (const asked of ASKED) {
        it(`is read and accepted by us: ${asked}, ${writerName(writer)}`, async () => {
          const reference = await newImage(registry);
          await cosignWrites(asked, reference, writer, bench);
          const { kind, testimonies } = writer;
          const cell: Cell = { reference, asked, layouts: [writer.layout], kind, testimonies };
          const theirs = await askCosign(writer.cosign, cell, bench);
          assert.ok(theirs.accepted, `cosign refuses its own: ${theirs.said}`);
          const ours = await askAttestry(cell, bench);
          assert.ok(ours.accepted, ours.said);
          // And under nobody else: a trust that is not asked for this signer sees nothing that holds.
          const other = await strictAttestor(kind === 'key' ? 'x509' : 'key', testimonies, bench);
          const held = (await judgeAll(reference, other)).filter((evidence) => evidence.held === true);
          assert.deepEqual(held, []);
        });
      }
    }
  });
}

it('cosign 3 stamps the wrong bytes at its tags, which no cosign verifies; its log entry vouches all the same', async () => {
  const writer = { cosign: 3, layout: 'cosign-tag', kind: 'keyless', testimonies: ['rekor-v1', 'timestamp'] } as const;
  const reference = await newImage('referrers-api');
  await cosignWrites('attestation', reference, writer, bench);
  const cell: Cell = { reference, asked: 'attestation', layouts: ['cosign-tag'], ...writer };
  for (const version of [2, 3] as const) assert.equal((await askCosign(version, cell, bench)).accepted, false);
  const logged: Cell = { ...cell, testimonies: ['rekor-v1'] };
  for (const version of [2, 3] as const) assert.equal((await askCosign(version, logged, bench)).accepted, true);
  const ours = await askAttestry(logged, bench);
  assert.ok(ours.accepted, ours.said);
});
