import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { OCI_EMPTY, OCI_MANIFEST, SIGSTORE_BUNDLE_V03, SLSA_PROVENANCE_V1 } from '#model/media-types.ts';
import { gist, verify } from '../../support/attested.ts';
import { runCli } from '../../support/cli.ts';
import { clusterPolicy } from '../../support/cluster-policy.ts';
import { ISSUER } from '../../support/fulcio-ca.ts';
import { type BundleSpec, createPrivateSigstore, LOGGED_AT } from '../../support/private-sigstore.ts';
import { type PushedImage, pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { statementOf } from '../../support/signed-evidence.ts';
import { startTufMirror } from '../../support/tuf-mirror.ts';

const IDENTITY = ['--certificate-identity', 'https://attestry.test/builder', '--certificate-oidc-issuer', ISSUER];
const TYPE = ['--type', 'slsaprovenance1'];

describe('verify bundles', () => {
  const sigstore = createPrivateSigstore();
  const rootText = JSON.stringify(sigstore.trustedRoot());
  let registry: TestRegistry;
  let scratch: Scratch;
  let trustedRoot: string;

  before(async () => {
    [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
    trustedRoot = await scratch.write('trusted_root.json', rootText);
  });
  after(async () => {
    await Promise.all([registry[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
  });

  /** An image with one bundle about it. */
  async function imageWith(repository: string, spec: BundleSpec = {}): Promise<PushedImage> {
    const image = await pushTestImage(registry.host, { repository });
    const payload = JSON.stringify(statementOf({ digest: image.digest }));
    const bytes = Buffer.from(JSON.stringify(sigstore.bundle({ payload, ...spec })));
    await using target = connect(registry.url);
    const config = await target.pushBlob(repository, Buffer.from('{}'), OCI_EMPTY);
    const { mediaType, digest, size } = await target.pushBlob(repository, bytes, SIGSTORE_BUNDLE_V03);
    const subject = await target.resolve(repository, image.digest);
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        artifactType: SIGSTORE_BUNDLE_V03,
        config,
        layers: [{ mediaType, digest, size }],
        subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
      }),
    );
    await target.pushManifest(repository, sha256(manifest), manifest, OCI_MANIFEST);
    return image;
  }

  it('holds under a trusted root and the identity, of a log of either version', async () => {
    for (const [name, spec] of [
      ['team/v1', {}],
      ['team/v2', { logs: ['v2'], stamped: LOGGED_AT }],
    ] as const) {
      const { reference } = await imageWith(name, spec);
      const report = await verify([reference, ...TYPE, '--trusted-root', trustedRoot, ...IDENTITY]);
      assert.deepEqual([report.code, ...gist(report)], [0, 'pass: verified'], name);
      assert.match(report.verdicts[0]?.reasons[0]?.message ?? '', new RegExp(SLSA_PROVENANCE_V1));
    }
  });

  it('fails under another identity, and asks for what the flags ask for', async () => {
    const { reference } = await imageWith('team/asked');
    const judge = async (...flags: string[]) => {
      const report = await verify([reference, ...TYPE, '--trusted-root', trustedRoot, ...flags]);
      return [report.code, ...gist(report)].join(' ');
    };
    const regexp = (text: string) => ['--certificate-identity-regexp', text];
    assert.equal(await judge(...regexp('https://attestry\\.test/.+')), '0 pass: verified');
    assert.match(await judge(...regexp('attestry')), /^1 fail: .*identity-mismatch/);
    assert.match(await judge('--certificate-oidc-issuer', 'https://other.test'), /identity-mismatch/);
    assert.match(await judge('--use-signed-timestamps'), /^1 fail: .*timestamp-missing/);
    assert.equal(await judge('--insecure-ignore-tlog', '--insecure-ignore-sct'), '0 pass: verified');
  });

  it('holds under the CA, log and certificate log in PEM, and under a plain key', async () => {
    const { reference } = await imageWith('team/pem');
    const pem = (key: { export(options: { type: 'spki'; format: 'pem' }): string | Buffer }) =>
      key.export({ type: 'spki', format: 'pem' });
    const flags = [
      ['--certificate-chain', await scratch.write('chain.pem', sigstore.pki.chainPem)],
      ['--rekor-key', await scratch.write('rekor.pub', sigstore.rekorV1.pem)],
      ['--ctlog-key', await scratch.write('ctlog.pub', pem(sigstore.fulcio.publicKey))],
    ].flat();
    const byCa = await verify([reference, ...TYPE, ...flags, ...IDENTITY]);
    assert.deepEqual([byCa.code, ...gist(byCa)], [0, 'pass: verified']);
    const plain = await imageWith('team/plain', { plain: true });
    const key = await scratch.write('signer.pub', pem(sigstore.signer.publicKey));
    assert.equal((await verify([plain.reference, ...TYPE, '--key', key])).code, 0);
    const other = ['--key', await scratch.write('other.pub', pem(sigstore.clock.publicKey))];
    assert.equal((await verify([plain.reference, ...TYPE, ...other])).code, 1);
  });

  it("judges Kyverno's type SigstoreBundle under the trusted root of its Sigstore client", async () => {
    const { reference } = await imageWith('team/admitted');
    const keyless = { subject: 'https://attestry.test/builder', issuer: ISSUER, rekor: { url: 'https://rekor.test' } };
    const attestations = [{ type: SLSA_PROVENANCE_V1, attestors: [{ entries: [{ keyless }] }] }];
    const element = { type: 'SigstoreBundle', imageReferences: [`${registry.host}/*`], attestations };
    const policy = await scratch.write('bundles.yaml', clusterPolicy([], { element }));
    const judge = async (image: string, ...flags: string[]) => {
      const report = await verify([image, '--policy', policy, ...flags]);
      return [report.code, ...gist(report)].join(' ');
    };
    assert.equal(await judge(reference, '--trusted-root', trustedRoot), '0 pass: verified');
    assert.equal(await judge(reference), '2 error: trust-unavailable');
    const bare = await pushTestImage(registry.host, { repository: 'team/bare' });
    assert.equal(await judge(bare.reference, '--trusted-root', trustedRoot), '1 fail: evidence-missing');
    const refused = await runCli(['verify', reference, '--policy', policy, '--trusted-root', policy]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /bundles\.yaml: the trusted root cannot be read/);
  });

  it('takes the trusted root from a TUF repository, and keeps it for the next run', async () => {
    const { reference } = await imageWith('team/tuf');
    const cache = scratch.at('cache');
    const env = { XDG_CACHE_HOME: cache };
    const root = scratch.at('root.json');
    const mirror = await startTufMirror({ target: rootText });
    const judge = () => {
      const flags = ['--tuf-mirror', mirror.url, '--tuf-root', root, ...IDENTITY];
      return verify([reference, ...TYPE, ...flags], env);
    };
    try {
      await scratch.write('root.json', mirror.root);
      assert.equal((await judge()).code, 0);
      assert.ok(mirror.requests.length > 0);
    } finally {
      await mirror[Symbol.asyncDispose]();
    }
    assert.equal((await judge()).code, 0, 'from what is kept');
    const report = await verify([reference, ...TYPE, '--tuf-mirror', mirror.url, '--tuf-root', root, ...IDENTITY], {
      XDG_CACHE_HOME: scratch.at('empty'),
    });
    assert.deepEqual([report.code, ...gist(report)], [2, 'error: evidence-missing trust-unavailable']);
  });
});
