import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { attest } from '../support/attested.ts';
import { cosignVerify, trustByChain, trustByRoots } from '../support/cosign.ts';
import { makePki } from '../support/pki.ts';
import { pushTestImage } from '../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { type SigningFiles, writeKeyPair, writeSigningFiles } from '../support/signing-files.ts';

const PREDICATES = {
  cyclonedx: 'https://cyclonedx.org/bom',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
} as const;
const TYPES = ['cyclonedx', 'slsaprovenance1'] as const;

let registry: TestRegistry;
let scratch: Scratch;
let files: SigningFiles;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  files = await writeSigningFiles(scratch);
});

after(async () => {
  await Promise.all([registry.stop(), scratch[Symbol.asyncDispose]()]);
});

describe('cosign accepts what we attach', () => {
  for (const [name, leaf] of [
    ['P-256', { keyKind: 'p256' }],
    ['RSA', { keyKind: 'rsa2048' }],
    ['P-256 with an e-mail identity', { subjectAlternativeNames: [{ type: 'email', value: 'ci@attestry.test' }] }],
  ] as const) {
    it(`with a certificate for ${name}, by roots and by chain`, async () => {
      const signer = await writeSigningFiles(scratch, name, makePki({ leaf }));
      const identity = 'subjectAlternativeNames' in leaf ? leaf.subjectAlternativeNames[0].value : undefined;
      const image = await pushTestImage(registry.host, { packages: { [name.toLowerCase().slice(0, 3)]: '1' } });
      await attest([image.reference, ...signer.flags]);
      for (const type of TYPES) {
        for (const trust of [trustByRoots(signer, identity), trustByChain(signer, identity)]) {
          const { code, stderr, statements } = await cosignVerify(scratch, image.reference, type, trust);
          assert.equal(code, 0, stderr);
          assert.deepEqual(
            statements.map(({ predicateType }) => predicateType),
            [PREDICATES[type]],
          );
        }
      }
    });
  }

  it('on the index, and the SBOM on each platform', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/index', index: true });
    await attest([image.reference, ...files.flags]);
    const names = [image.reference, ...image.platforms.map((digest) => `${registry.host}/team/index@${digest}`)];
    for (const name of names) {
      const { code, stderr } = await cosignVerify(scratch, name, 'cyclonedx', trustByRoots(files));
      assert.equal(code, 0, stderr);
    }
    const { code, stderr } = await cosignVerify(scratch, image.reference, 'slsaprovenance1', trustByRoots(files));
    assert.equal(code, 0, stderr);
  });

  it('in a central repository, which it knows as COSIGN_REPOSITORY', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/central' });
    const central = `${registry.host}/security/evidence/container`;
    await attest([image.reference, '--oci-repo', `${registry.host}/security/evidence`, ...files.flags]);
    for (const type of TYPES) {
      const trust = { ...trustByRoots(files), env: { COSIGN_REPOSITORY: central } };
      const { code, stderr } = await cosignVerify(scratch, image.reference, type, trust);
      assert.equal(code, 0, stderr);
    }
    const beside = await cosignVerify(scratch, image.reference, 'cyclonedx', trustByRoots(files));
    assert.notEqual(beside.code, 0);
    assert.match(beside.stderr, /no .*attestations/i);
  });

  it('with predicateTypes that carry a version', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/versioned' });
    const type = 'https://cyclonedx.org/bom/v1.6';
    await attest([image.reference, '--type', type, ...files.flags]);
    const { code, stderr, statements } = await cosignVerify(scratch, image.reference, type, trustByRoots(files));
    assert.equal(code, 0, stderr);
    assert.equal(statements[0]?.predicateType, type);
  });

  it('signed by a plain key', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/plain' });
    const { key, publicKey } = await writeKeyPair(scratch);
    await attest([image.reference, '--key', key, '--layout', 'cosign-tag']);
    for (const type of TYPES) {
      const { code, stderr } = await cosignVerify(scratch, image.reference, type, { flags: ['--key', publicKey] });
      assert.equal(code, 0, stderr);
    }
  });

  it('and refuses it under another CA, identity or key', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/refused' });
    await attest([image.reference, ...files.flags]);
    const others = await writeSigningFiles(scratch, 'others');
    const { publicKey } = await writeKeyPair(scratch, 'stranger');
    for (const trust of [
      trustByRoots(others),
      trustByChain(others),
      trustByRoots(files, 'https://attestry.test'),
      { flags: ['--key', publicKey] },
    ]) {
      const { code } = await cosignVerify(scratch, image.reference, 'cyclonedx', trust);
      assert.notEqual(code, 0, trust.flags.join(' '));
    }
  });
});
