import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { attest, gist, verify } from '../../support/attested.ts';
import { runCli } from '../../support/cli.ts';
import { type PushedImage, pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SigningFiles, writeKeyPair, writeSigningFiles } from '../../support/signing-files.ts';

const BOTH = ['--type', 'cyclonedx', '--type', 'slsaprovenance1'];
const IDENTITY = 'https://attestry.test/builder';

let registry: TestRegistry;
let scratch: Scratch;
let image: PushedImage;
let files: SigningFiles;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  image = await pushTestImage(registry.host);
  files = await writeSigningFiles(scratch);
  await attest([image.reference, ...files.flags]);
});

after(async () => {
  await Promise.all([registry[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

describe('verify under a key or CA', () => {
  it('passes under the chain, and under the root, which finds the intermediates in the evidence', async () => {
    for (const trust of [
      ['--certificate-chain', files.chain],
      ['--ca-roots', files.roots],
    ]) {
      const report = await verify([image.reference, ...BOTH, ...trust, '--certificate-identity', IDENTITY]);
      assert.deepEqual([report.code, ...gist(report)], [0, 'pass: verified']);
      assert.equal(report.image, `${image.reference}@${image.digest}`);
      assert.equal(report.digest, image.digest);
      const [verdict] = report.verdicts;
      assert.equal(verdict?.emulates, 'attestry');
      assert.equal(verdict?.policy.kind, 'Trust');
      for (const { evidence } of verdict?.reasons ?? []) assert.match(evidence ?? '', /@sha256:[0-9a-f]{64}$/);
    }
  });

  it('fails with the reason where the signer is another, is named otherwise, or logged nothing', async () => {
    const others = await writeSigningFiles(scratch, 'others');
    const { publicKey } = await writeKeyPair(scratch);
    for (const [trust, reason] of [
      [['--ca-roots', others.roots], 'chain-untrusted'],
      [['--key', publicKey], 'signature-invalid'],
      [['--ca-roots', files.roots, '--certificate-identity', 'https://attestry.test'], 'identity-mismatch'],
      [['--ca-roots', files.roots, '--require-tlog'], 'log-entry-missing'],
    ] as const) {
      const report = await verify([image.reference, '--type', 'cyclonedx', ...trust]);
      assert.equal(report.code, 1, trust.join(' '));
      const [told] = gist(report);
      assert.ok(told?.startsWith('fail: ') && told.includes(reason), `${trust[0]}: ${told}`);
    }
  });

  it('asks for every type, by cosign’s name or URI', async () => {
    const one = await pushTestImage(registry.host, { repository: 'team/one' });
    await attest([one.reference, '--type', 'cyclonedx', ...files.flags]);
    const report = await verify([one.reference, ...BOTH, '--ca-roots', files.roots]);
    assert.deepEqual([report.code, ...gist(report)], [1, 'fail: evidence-missing verified']);
    const exact = await verify([one.reference, '--type', 'https://cyclonedx.org/bom', '--ca-roots', files.roots]);
    assert.equal(exact.code, 0);
    const versioned = ['--type', 'https://cyclonedx.org/bom/v1.6', '--ca-roots', files.roots];
    assert.equal((await verify([one.reference, ...versioned])).code, 1);
  });

  it('looks where --repository or --oci-repo says', async () => {
    const central = await pushTestImage(registry.host, { repository: 'team/central' });
    const where = ['--oci-repo', `${registry.host}/evidence`];
    await attest([central.reference, ...where, ...files.flags]);
    const trust = [...BOTH, '--ca-roots', files.roots];
    assert.equal((await verify([central.reference, ...trust, ...where])).code, 0);
    const exact = ['--repository', `${registry.host}/evidence/container`];
    assert.equal((await verify([central.reference, ...trust, ...exact])).code, 0);
    const beside = await verify([central.reference, ...trust]);
    assert.deepEqual([beside.code, ...gist(beside)], [1, 'fail: evidence-missing']);
  });

  it('answers 2 and error when the image is gone or the registry does not answer', async () => {
    const gone = await pushTestImage(registry.host, { repository: 'team/gone' });
    {
      await using target = connect(registry.url);
      await target.deleteManifest(gone.repository, gone.digest);
    }
    const deleted = await verify([`${registry.host}/team/gone@${gone.digest}`, ...BOTH, '--ca-roots', files.roots]);
    assert.deepEqual([deleted.code, deleted.digest, ...gist(deleted)], [2, null, 'error: image-unreachable']);
    const away = await startRegistry();
    await away.stop();
    const dead = await verify([`${away.host}/team/app:1.0`, ...BOTH, '--ca-roots', files.roots]);
    assert.deepEqual([dead.code, ...gist(dead)], [2, 'error: image-unreachable']);
  });

  it('answers 2 for a file that cannot be used, naming its flag', async () => {
    const missing = await runCli(['verify', image.reference, ...BOTH, '--ca-roots', scratch.at('nothing.pem')]);
    assert.deepEqual([missing.code, missing.stdout], [2, '']);
    assert.match(missing.stderr, /^attestry: --ca-roots: .*nothing\.pem: there is no such file/);
    const rootless = ['--certificate-chain', files.intermediates];
    const { code, stderr } = await runCli(['verify', image.reference, ...BOTH, ...rootless]);
    assert.equal(code, 2);
    assert.match(stderr, /no self-signed root/);
  });

  it('answers 64 where flags contradict each other', async () => {
    for (const [args, why] of [
      [[], /neither --policy nor --type/],
      [BOTH, /exactly one of --key, --ca-roots, --certificate-chain/],
      [[...BOTH, '--ca-roots', files.roots, '--certificate-chain', files.chain], /exactly one of/],
      [['--type', 'nonsense', '--ca-roots', files.roots], /--type nonsense: neither a known type nor/],
      [[...BOTH, '--key', files.key, '--certificate-identity', IDENTITY], /does not go with --key/],
      [['--policy', files.key, '--ca-roots', files.roots], /--ca-roots does not go with --policy/],
      [[...BOTH, '--ca-roots', files.roots, '--repository', 'a.b/c', '--oci-repo', 'a.b/c'], /exclude each other/],
    ] as const) {
      const { code, stdout, stderr } = await runCli(['verify', image.reference, ...args]);
      assert.deepEqual([code, stdout], [64, ''], stderr);
      assert.match(stderr, why);
    }
  });
});
