import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { attest, gist, verify } from '../../support/attested.ts';
import { runCli } from '../../support/cli.ts';
import { pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SigningFiles, writeKeyPair, writeSigningFiles } from '../../support/signing-files.ts';

const TYPE = ['--type', 'slsaprovenance1'];

let registry: TestRegistry;
let scratch: Scratch;
let files: SigningFiles;
let pair: Awaited<ReturnType<typeof writeKeyPair>>;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  [files, pair] = await Promise.all([writeSigningFiles(scratch), writeKeyPair(scratch)]);
});
after(async () => {
  await Promise.all([registry[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

async function push(name: string): Promise<string> {
  return (await pushTestImage(registry.host, { repository: `layouts/${name}` })).reference;
}

/** `layout state` of each place. */
async function placed(args: readonly string[]): Promise<readonly unknown[]> {
  const { attestations } = await attest(args);
  return attestations.map((each) => `${Reflect.get(each, 'layout')} ${each.state}`);
}

test('a certificate’s evidence goes to the tag of cosign, a plain key’s to both, unless told otherwise', async () => {
  const certified = await push('certified');
  assert.deepEqual(await placed([certified, ...files.flags, ...TYPE]), ['cosign-tag created']);
  const plain = await push('plain');
  const key = ['--key', pair.key, ...TYPE];
  assert.deepEqual(await placed([plain, ...key]), ['cosign-tag created', 'bundle created']);
  assert.deepEqual(await placed([plain, ...key]), ['cosign-tag present', 'bundle present']);
  const bundled = await push('bundled');
  assert.deepEqual(await placed([bundled, ...files.flags, ...TYPE, '--layout', 'bundle']), ['bundle created']);
  const report = await verify([bundled, ...TYPE, '--ca-roots', files.roots]);
  assert.deepEqual(report.code, 1, 'a bundle brings no chain, and the roots alone do not lead to its certificate');
  const chained = await verify([bundled, ...TYPE, '--certificate-chain', files.chain]);
  assert.deepEqual([chained.code, ...gist(chained)], [0, 'pass: verified']);
});

test('an image is signed like any other evidence', async () => {
  const image = await push('signed');
  const key = ['--key', pair.key, '--type', 'signature'];
  assert.deepEqual(await placed([image, ...key]), ['cosign-tag created', 'bundle created']);
  const report = await verify([image, '--type', 'signature', '--key', pair.publicKey]);
  assert.equal(report.code, 0, report.stderr);
});

test('a first bundle that would hide evidence of others is refused, and told how to be attached', async () => {
  const image = await push('hiding');
  await attest([image, ...files.flags, '--type', 'cyclonedx']);
  const key = ['--key', pair.key, ...TYPE];
  const noted = await runCli(['attest', image, ...key]);
  assert.equal(noted.code, 0, noted.stderr);
  assert.match(noted.stdout, /^created\tslsaprovenance1.*\nrefused\tslsaprovenance1/);
  assert.match(noted.stderr, /not attached as a bundle: a first bundle would hide .*; --hiding warn/);
  const asked = await runCli(['attest', image, ...key, '--layout', 'bundle']);
  assert.equal(asked.code, 2);
  const warned = await runCli(['attest', image, ...key, '--layout', 'bundle', '--hiding', 'warn']);
  assert.equal(warned.code, 0, warned.stderr);
  assert.match(warned.stderr, /cosign 3 and ImageValidatingPolicy see no more/);
});

test('layouts that there are not are told', async () => {
  for (const flags of [
    ['--layout', 'legacy'],
    ['--hiding', 'allow'],
  ]) {
    const { code, stderr } = await runCli(['attest', 'registry.example.com/app', '--key', pair.key, ...flags]);
    assert.equal(code, 64);
    assert.match(stderr, /is not known\n {2}write /);
  }
});
