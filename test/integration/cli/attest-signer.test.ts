import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { attest, gist, verify } from '../../support/attested.ts';
import { runCli } from '../../support/cli.ts';
import { makeKey, makePki } from '../../support/pki.ts';
import { type PushedImage, pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SigningFiles, writeKeyPair, writeSigningFiles } from '../../support/signing-files.ts';

const PASSPHRASE = 'correct horse';
const LAPSED = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2021-01-01T00:00:00Z') };

let registry: TestRegistry;
let scratch: Scratch;
let image: PushedImage;
let files: SigningFiles;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  image = await pushTestImage(registry.host);
  files = await writeSigningFiles(scratch);
});

after(async () => {
  await Promise.all([registry[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

/** A run that must be refused: its exit code and what it said. */
async function refused(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await runCli(['attest', image.reference, ...args], { env });
  assert.equal(stdout, '');
  return { code, stderr };
}

function signedWith(given: Partial<SigningFiles>): readonly string[] {
  const { key, certificate, chain } = { ...files, ...given };
  return ['--key', key, '--certificate', certificate, '--certificate-chain', chain];
}

describe('what attest signs with', () => {
  it('is a plain key where no certificate is named', async () => {
    const { key, publicKey } = await writeKeyPair(scratch);
    const plain = await pushTestImage(registry.host, { repository: 'team/plain' });
    await attest([plain.reference, '--key', key, '--type', 'slsaprovenance1']);
    const report = await verify([plain.reference, '--type', 'slsaprovenance1', '--key', publicKey]);
    assert.deepEqual([report.code, ...gist(report)], [0, 'pass: verified']);
  });

  it('may be an encrypted key with its passphrase in COSIGN_PASSWORD', async () => {
    const locked = files.pki.leaf.key.export({
      format: 'pem',
      type: 'pkcs8',
      cipher: 'aes-256-cbc',
      passphrase: PASSPHRASE,
    });
    const key = await scratch.write('locked.pem', locked);
    const open = await attest([image.reference, ...signedWith({ key })], { COSIGN_PASSWORD: PASSPHRASE });
    assert.deepEqual(
      open.attestations.map(({ state }) => state),
      ['created', 'created'],
    );
    for (const [env, why] of [
      [{ COSIGN_PASSWORD: 'wrong horse' }, /the passphrase is wrong/],
      [{}, /the key is encrypted and there is no passphrase\n {2}\S/],
    ] as const) {
      const { code, stderr } = await refused(signedWith({ key }), env);
      assert.equal(code, 2);
      assert.match(stderr, why);
      assert.doesNotMatch(stderr, /horse/);
    }
  });

  it('may come from the environment instead of a file', async () => {
    const flags = signedWith({ key: 'env:SIGNING_KEY' });
    const report = await attest([image.reference, ...flags], { SIGNING_KEY: files.pki.leaf.keyPem });
    assert.equal(report.attestations.length, 2);
    const unset = await refused(flags);
    assert.equal(unset.code, 2);
    assert.match(
      unset.stderr,
      /--key: the variable SIGNING_KEY is not set\n {2}set SIGNING_KEY, or name a readable file/,
    );
  });

  it('must be there: a missing file is named with its flag', async () => {
    for (const [given, flag] of [
      [{ key: scratch.at('no-key.pem') }, '--key'],
      [{ certificate: scratch.at('no-certificate.pem') }, '--certificate'],
      [{ chain: scratch.at('no-chain.pem') }, '--certificate-chain'],
    ] as const) {
      const { code, stderr } = await refused(signedWith(given));
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`^attestry: ${flag}: .*/no-[a-z]+\\.pem: there is no such file\\n {2}\\S`));
    }
  });

  it('must fit together: a key of another certificate is refused', async () => {
    const { key } = await writeKeyPair(scratch, 'stranger');
    const { code, stderr } = await refused(signedWith({ key }));
    assert.equal(code, 2);
    assert.match(stderr, /key-matches \(certificate 0\): .*\n {2}\S/);
  });

  it('must be a certificate that verifiers accept: the broken rule and its mend are told', async () => {
    for (const [leaf, rule] of [
      [LAPSED, 'not-expired'],
      [{ extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }, 'code-signing'],
      [{ subjectAlternativeNames: null }, 'alternative-name'],
      [{ key: makeKey('rsa1024') }, 'key-size'],
    ] as const) {
      const bad = await writeSigningFiles(scratch, rule, makePki({ leaf }));
      const { code, stderr } = await refused(bad.flags);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`${rule} \\(certificate 0\\): .*\\n {2}\\S`));
    }
  });

  it('must lead to a self-signed root, in whatever order the file is', async () => {
    const { pki } = files;
    const rootless = await scratch.write('rootless.pem', pki.intermediate.pem);
    const { code, stderr } = await refused(signedWith({ chain: rootless }));
    assert.equal(code, 2);
    assert.match(stderr, /chain-root \(certificate \d\): .*\n {2}\S/);
    const turned = await scratch.write('turned.pem', pki.root.pem + pki.intermediate.pem);
    const report = await attest([image.reference, ...signedWith({ chain: turned })]);
    assert.equal(report.attestations.length, 2);
  });

  it('is asked for in whole: half of it is wrong usage', async () => {
    const { key, certificate, chain } = files;
    for (const [args, why] of [
      [[], /--key is missing/],
      [['--key', key, '--certificate', certificate], /--certificate needs --certificate-chain/],
      [['--key', key, '--certificate-chain', chain], /--certificate-chain needs --certificate/],
      [['--type', 'spdx', ...files.flags], /--type spdx: evidence of this type cannot be made/],
      [['team/other', ...files.flags], /one IMAGE only/],
    ] as const) {
      const { code, stderr } = await refused(args);
      assert.equal(code, 64, stderr);
      assert.match(stderr, why);
    }
  });
});
