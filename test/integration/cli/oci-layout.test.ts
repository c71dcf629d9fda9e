import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLayoutTarget } from '#oci/layout-directory.ts';
import { readAttestationTag } from '#storage/attestation-tag-reader.ts';
import { attest } from '../../support/attested.ts';
import { runCli } from '../../support/cli.ts';
import { pushTestImageTo } from '../../support/pushed-image.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SigningFiles, writeSigningFiles } from '../../support/signing-files.ts';

/** No resolver knows it: whoever dials it fails. */
const REGISTRY = 'registry.invalid';

let scratch: Scratch;
let files: SigningFiles;

before(async () => {
  scratch = await makeScratch();
  files = await writeSigningFiles(scratch);
});
after(() => scratch[Symbol.asyncDispose]());

test('an image in a layout folder gets its evidence there, and is verified there, without a registry', async () => {
  const dir = scratch.at('built');
  const target = createLayoutTarget(dir, 'single');
  const { reference, digest } = await pushTestImageTo(target, REGISTRY);
  const first = await attest([reference, ...files.flags, '--oci-layout', dir]);
  assert.deepEqual(
    first.attestations.map(({ state }) => state),
    ['created', 'created'],
  );
  const again = await attest([reference, ...files.flags, '--oci-layout', dir]);
  assert.deepEqual(
    again.attestations.map(({ state }) => state),
    ['present', 'present'],
  );
  const { layers } = await readAttestationTag(target, { registry: REGISTRY, repository: 'team/app', digest });
  assert.equal(layers.length, 2);
  const trust = ['--type', 'cyclonedx', '--ca-roots', files.roots];
  const verified = await runCli(['verify', reference, ...trust, '--oci-layout', dir]);
  assert.equal(verified.code, 0, verified.stderr + verified.stdout);
  const sbom = await runCli(['sbom', reference, '--oci-layout', dir]);
  assert.equal(JSON.parse(sbom.stdout).bomFormat, 'CycloneDX');
});

test('a folder that is no layout is named, with the way to make one', async () => {
  const result = await runCli(['sbom', `${REGISTRY}/team/app:1.0`, '--oci-layout', scratch.at('nothing')]);
  assert.equal(result.code, 2);
  assert.match(result.stderr, /nothing is no OCI image layout: it has no index\.json/);
  assert.match(result.stderr, /oras cp --to-oci-layout/);
});
