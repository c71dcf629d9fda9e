import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { layoutsOf } from '#model/layout-choice.ts';
import { MATRIX_TOOLS } from '../../scripts/setup/go-tools.mjs';
import { pushTestImage } from '../support/pushed-image.ts';
import { connect } from '../support/registry-target.ts';
import { ASKED, allRows, JUDGES, type Row, tableSays } from './matrix/plan.ts';
import { matrixText } from './matrix/print.ts';
import { RECORDING, type RecordedRow, readRecord, rowName, writeRecord } from './matrix/record.ts';
import { type RunningRegistry, startRegistryKind } from './matrix/registries.ts';
import { REGISTRY_KINDS, type RegistryKind } from './matrix/registry-kinds.ts';
import { SIGNER_NAMES, SIGNERS } from './matrix/signer-names.ts';
import { makeSigner, type SignerFiles, writeSignerFiles } from './matrix/signers.ts';
import { ask, type Bench } from './matrix/verifiers/ask.ts';
import { prepareKyvernoHome } from './matrix/verifiers/kyverno.ts';
import { writeOurs } from './matrix/write-ours.ts';
import { type SigstoreStack, startSigstoreStack } from './stack/sigstore-stack.ts';

let stack: SigstoreStack;
let files: SignerFiles;
let bench: Bench;
const registries = new Map<RegistryKind, RunningRegistry>();
const seen: RecordedRow[] = [];
let images = 0;

before(async () => {
  stack = await startSigstoreStack();
  for (const kind of REGISTRY_KINDS) registries.set(kind, await startRegistryKind(kind, stack.scratch));
  files = await writeSignerFiles(stack);
  const kyvernoHome = stack.scratch.at('kyverno');
  await mkdir(kyvernoHome);
  const { reference } = await pushTestImage(hostOf('referrers-api'));
  await prepareKyvernoHome(kyvernoHome, reference, { stack, files });
  bench = { stack, files, kyvernoHome };
});

after(async () => {
  for (const registry of registries.values()) await registry[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
});

function hostOf(kind: RegistryKind): string {
  return registries.get(kind)?.host ?? '';
}

/** An image whose only evidence is that of the row. */
async function written(row: Row): Promise<string> {
  images += 1;
  const host = hostOf(row.registry);
  const packages = { bash: '5.2', number: String(images) };
  const image = await pushTestImage(host, { repository: `team/app-${images}`, packages });
  await using target = connect(new URL(`http://${host}/`));
  await using signer = await makeSigner(row.signer, stack, files);
  const wanted = { asked: row.asked, layouts: layoutsOf(row.layout), signer, name: row.signer };
  await writeOurs(target, host, image, wanted, bench);
  return image.reference;
}

for (const registry of REGISTRY_KINDS) {
  for (const asked of ASKED) {
    describe(`${asked}s that we attach in ${registry}`, () => {
      for (const signer of SIGNER_NAMES) {
        it(`by ${signer}: each verifier reads the layouts that our table says it reads`, async () => {
          for (const row of allRows().filter(isOne)) {
            const reference = await written(row);
            const cell = { reference, asked, layouts: layoutsOf(row.layout), ...SIGNERS[signer] };
            const judged = await Promise.all(JUDGES.map((verifier) => ask(verifier, cell, bench)));
            const by = (accepted: boolean) => JUDGES.filter((_, at) => judged[at]?.accepted === accepted);
            seen.push({ ...row, accepted: by(true), refused: by(false) });
            const surprise = JUDGES.findIndex((each, at) => judged[at]?.accepted !== tableSays(each, row));
            const words = `${rowName(row)}, ${JUDGES[surprise]}: ${judged[surprise]?.said.slice(-2000)}`;
            assert.equal(surprise, -1, words);
          }
        });

        function isOne(row: Row): boolean {
          return row.registry === registry && row.asked === asked && row.signer === signer;
        }
      }
    });
  }
}

it('is what the record says, from which the documentation is made', async (context) => {
  const rows = allRows().flatMap((row) => seen.filter((each) => rowName(each) === rowName(row)));
  context.diagnostic(`\n${matrixText(rows)}\n`);
  const tools = Object.fromEntries(MATRIX_TOOLS.map(({ id, version }) => [id, version]));
  if (RECORDING) await writeRecord({ tools, rows });
  assert.deepEqual({ tools, rows }, readRecord(), 'run ATTESTRY_TEST_RECORD=1 npm run interop, and npm run generate');
});
