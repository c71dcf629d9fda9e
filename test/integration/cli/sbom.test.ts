import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { HOST_NODE, runCli, startProgram } from '../../support/cli.ts';
import { strictCycloneDx } from '../../support/cyclonedx-schema.ts';
import { type PushedImage, pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

let registry: TestRegistry;
let scratch: Scratch;
let image: PushedImage;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  image = await pushTestImage(registry.host, { index: true });
});

after(async () => {
  await Promise.all([registry[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

function packagesOf(text: string): readonly string[] {
  return [...text.matchAll(/"purl": "(pkg:deb[^"]+)"/g)].map(([, purl = '']) => purl);
}

describe('sbom', () => {
  it('prints CycloneDX and nothing else; progress goes to stderr', async () => {
    const { code, stdout, stderr } = await runCli(['sbom', image.reference]);
    assert.equal(code, 0);
    const bom = JSON.parse(stdout);
    assert.equal(bom.specVersion, '1.6');
    assert.deepEqual((await strictCycloneDx())(bom), []);
    assert.ok(packagesOf(stdout).some((purl) => purl.startsWith('pkg:deb/debian/openssl@3.0.15')));
    assert.match(stderr, /^reading layer 1 of 1/);
  });

  it('gives the same bytes each time, in a file too', async () => {
    const file = scratch.at('bom.json');
    const written = await runCli(['sbom', image.reference, '-o', file, '--quiet']);
    assert.deepEqual(written, { code: 0, stdout: '', stderr: '' });
    const printed = await runCli(['sbom', image.reference, '--quiet']);
    assert.equal(await readFile(file, 'utf8'), printed.stdout);
  });

  it('answers 2 where the file cannot be written or the image is not there', async () => {
    const nowhere = await runCli(['sbom', image.reference, '--output', scratch.at('no/such/folder/bom.json')]);
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /--output: .*bom\.json cannot be written/);
    const missing = await runCli(['sbom', `${registry.host}/team/app:none`]);
    assert.deepEqual([missing.code, missing.stdout], [2, '']);
  });

  it('is no failure when its reader has seen enough', async () => {
    const script = `"$0" bin/attestry.mjs sbom "$1" --quiet | head -c 1; echo " \${PIPESTATUS[0]}"`;
    await using shell = startProgram('bash', ['-c', script, HOST_NODE, image.reference]);
    assert.deepEqual(await shell.ended, { code: 0, stdout: '{ 0\n', stderr: '' });
  });
});
