import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { attest, gist, verify } from '../support/attested.ts';
import { cosign, cosignVerify, trustByRoots } from '../support/cosign.ts';
import { makePki } from '../support/pki.ts';
import { type PushedImage, pushTestImage } from '../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { type SigningFiles, writeSigningFiles } from '../support/signing-files.ts';

const PASSWORD = { COSIGN_PASSWORD: 'cosign’s own' };

/** As little as cosign takes for SLSA provenance v1. */
const PROVENANCE = {
  buildDefinition: { buildType: 'https://theirs.test/build/v1', externalParameters: {}, resolvedDependencies: [] },
  runDetails: { builder: { id: 'https://theirs.test/builder' } },
};

let registry: TestRegistry;
let scratch: Scratch;
/** Whom we sign for, and whom cosign does. */
let ours: SigningFiles;
let theirs: SigningFiles;
/** The key of theirs in cosign's own encrypted form. */
let theirKey: string;
let theirPublicKey: string;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  ours = await writeSigningFiles(scratch, 'ours');
  const pki = makePki({
    root: { subject: 'Their Root' },
    leaf: { subjectAlternativeNames: [{ type: 'uri', value: 'https://theirs.test/ci' }] },
  });
  theirs = await writeSigningFiles(scratch, 'theirs', pki);
  theirPublicKey = await scratch.write('theirs/public.pem', pki.leaf.publicKey.export({ type: 'spki', format: 'pem' }));
  await scratch.write('predicate.json', JSON.stringify(PROVENANCE));
  await scratch.write('bom.json', JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 }));
  const imported = await cosign(scratch, ['import-key-pair', '--key', theirs.key, '-o', 'imported'], PASSWORD);
  assert.equal(imported.code, 0, imported.stderr);
  theirKey = scratch.at('imported.key');
});

after(async () => {
  await Promise.all([registry.stop(), scratch[Symbol.asyncDispose]()]);
});

/** What cosign attaches, by certificate or by key alone. */
async function cosignAttests({ reference }: PushedImage, type: string, by: 'certificate' | 'key'): Promise<void> {
  const certificate = ['--certificate', theirs.certificate, '--certificate-chain', theirs.chain];
  const predicate = type === 'cyclonedx' ? 'bom.json' : 'predicate.json';
  const args = ['attest', reference, '--yes', '--tlog-upload=false', '--type', type, '--predicate', predicate];
  const signer = ['--key', theirKey, ...(by === 'certificate' ? certificate : [])];
  const { code, stderr } = await cosign(scratch, [...args, ...signer], PASSWORD);
  assert.equal(code, 0, stderr);
}

async function cosignAccepts({ reference }: PushedImage, type: string, flags: readonly string[]): Promise<number> {
  const { code, stderr, statements } = await cosignVerify(scratch, reference, type, { flags });
  assert.equal(code, 0, stderr);
  return statements.length;
}

const THEIR_IDENTITY = 'https://theirs.test/ci';

describe('what cosign attaches', () => {
  it('is verified by us: with its certificate and with its key', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/read' });
    await cosignAttests(image, 'slsaprovenance1', 'certificate');
    await cosignAttests(image, 'cyclonedx', 'key');
    const certified = ['--type', 'slsaprovenance1', '--ca-roots', theirs.roots, '--certificate-identity'];
    const report = await verify([image.reference, ...certified, THEIR_IDENTITY]);
    assert.equal(report.code, 0, gist(report).join());
    const keyed = await verify([image.reference, '--type', 'cyclonedx', '--key', theirPublicKey]);
    assert.equal(keyed.code, 0);
  });

  it('stays when we append, and cosign accepts both', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/append' });
    await cosignAttests(image, 'slsaprovenance1', 'certificate');
    const report = await attest([image.reference, ...ours.flags]);
    assert.deepEqual(
      report.attestations.map(({ state }) => state),
      ['created', 'created'],
    );
    assert.equal(await cosignAccepts(image, 'cyclonedx', trustByRoots(ours).flags), 1);
    assert.equal(await cosignAccepts(image, 'slsaprovenance1', trustByRoots(ours).flags), 1);
    assert.equal(await cosignAccepts(image, 'slsaprovenance1', trustByRoots(theirs, THEIR_IDENTITY).flags), 1);
    await attest([image.reference, '--force', ...ours.flags]);
    assert.equal(await cosignAccepts(image, 'slsaprovenance1', trustByRoots(theirs, THEIR_IDENTITY).flags), 1);
  });

  it('keeps ours when it comes later', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/later' });
    const first = await attest([image.reference, ...ours.flags]);
    await cosignAttests(image, 'slsaprovenance1', 'certificate');
    await cosignAttests(image, 'cyclonedx', 'key');
    assert.equal(await cosignAccepts(image, 'slsaprovenance1', trustByRoots(ours).flags), 1);
    assert.equal(await cosignAccepts(image, 'slsaprovenance1', trustByRoots(theirs, THEIR_IDENTITY).flags), 1);
    const again = await attest([image.reference, ...ours.flags]);
    assert.deepEqual(
      again.attestations.map(({ digest, state }) => [digest, state]),
      first.attestations.map(({ digest }) => [digest, 'present']),
    );
  });

  it('is what we sign with, too: its encrypted key opens with COSIGN_PASSWORD', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/key' });
    await attest([image.reference, '--key', theirKey, '--type', 'cyclonedx', '--layout', 'cosign-tag'], PASSWORD);
    assert.equal(await cosignAccepts(image, 'cyclonedx', ['--key', theirPublicKey]), 1);
  });
});
