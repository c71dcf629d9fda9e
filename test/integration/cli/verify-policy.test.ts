import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { attest, gist, verify } from '../../support/attested.ts';
import { runCli } from '../../support/cli.ts';
import { chainSet, clusterPolicy } from '../../support/cluster-policy.ts';
import { type PushedImage, pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SigningFiles, writeSigningFiles } from '../../support/signing-files.ts';

let registry: TestRegistry;
let scratch: Scratch;
let image: PushedImage;
let files: SigningFiles;
/** Holds for what the files signed. */
let good: string;
/** Trusts another CA. */
let bad: string;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  image = await pushTestImage(registry.host, { index: true });
  files = await writeSigningFiles(scratch);
  const others = await writeSigningFiles(scratch, 'others');
  await attest([image.reference, ...files.flags]);
  good = await write('good', files.pki.chainPem);
  bad = await write('bad', others.pki.chainPem);
});

after(async () => {
  await Promise.all([registry[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

function policyText(name: string, chain: string, references = [`${registry.host}/*`]): string {
  return clusterPolicy([chainSet([chain])], { name, element: { imageReferences: references } });
}

function write(name: string, chain: string, references?: string[]): Promise<string> {
  return scratch.write(`${name}.yaml`, policyText(name, chain, references));
}

describe('verify under policies', () => {
  it('answers 0 with the verdict, and prints it for people without --json', async () => {
    const report = await verify([image.reference, '--policy', good]);
    assert.deepEqual([report.code, ...gist(report)], [0, 'pass: verified']);
    assert.equal(report.image, `${image.reference}@${image.digest}`);
    const [verdict] = report.verdicts;
    assert.equal(verdict?.policy.name, 'good');
    assert.equal(verdict?.policy.kind, 'ClusterPolicy');
    assert.equal(verdict?.policy.uri, 'file:good.yaml#ClusterPolicy/good');
    assert.match(verdict?.policy.digest ?? '', /^sha256:[0-9a-f]{64}$/);
    assert.equal(verdict?.emulates, 'kyverno 1.19.1');
    const text = await runCli(['verify', image.reference, '--policy', good]);
    assert.deepEqual([text.code, text.stderr], [0, '']);
    assert.match(text.stdout, /^✓ pass {2}ClusterPolicy good \(as kyverno 1\.19\.1\)\n/);
    const quiet = await runCli(['verify', image.reference, '--policy', good, '--quiet']);
    assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [0, '', '']);
  });

  it('names the image as the pod does: by tag, by digest, by both', async () => {
    for (const reference of [`${registry.host}/team/app@${image.digest}`, `${image.reference}@${image.digest}`]) {
      const report = await verify([reference, '--policy', good]);
      assert.deepEqual([report.code, report.image], [0, reference]);
    }
    // A platform of the index has an SBOM of its own and no provenance, which this policy wants.
    const platform = await verify([`${registry.host}/team/app@${image.platforms[0]}`, '--policy', good]);
    assert.deepEqual([platform.code, ...gist(platform)], [1, 'fail: evidence-missing']);
  });

  it('judges under every policy of every file, and exits by the worst', async () => {
    const skipping = policyText('elsewhere', files.pki.chainPem, ['registry.example.com/*']);
    const others = policyText('other-ca', (await writeSigningFiles(scratch, 'third')).pki.chainPem);
    const several = await scratch.write('several.yaml', `${skipping}---\n${others}`);
    const report = await verify([image.reference, '--policy', good, '--policy', several]);
    assert.equal(report.code, 1);
    assert.deepEqual(
      report.verdicts.map(({ policy, outcome }) => `${policy.name} ${outcome}`),
      ['good pass', 'elsewhere skip', 'other-ca fail'],
    );
    const skipped = await scratch.write('skipping.yaml', skipping);
    assert.equal((await verify([image.reference, '--policy', good, '--policy', skipped])).code, 0);
  });

  it('answers 1 with where in the policy and what to do when evidence does not hold', async () => {
    const report = await verify([image.reference, '--policy', bad]);
    assert.equal(report.code, 1);
    const [reason] = report.verdicts[0]?.reasons ?? [];
    assert.equal(report.verdicts[0]?.outcome, 'fail');
    assert.match(reason?.clause ?? '', /verifyImages\[0\]/);
    const text = await runCli(['verify', image.reference, '--policy', bad]);
    assert.equal(text.code, 1);
    assert.match(text.stdout, /^✗ fail {2}ClusterPolicy bad/);
  });

  it('answers 2 when no policy speaks of the image, unless that is allowed', async () => {
    const file = await write('elsewhere', files.pki.chainPem, ['registry.example.com/*']);
    const report = await verify([image.reference, '--policy', file]);
    assert.deepEqual([report.code, ...gist(report)], [2, 'skip: image-not-matched no-policy-matched']);
    const allowed = await verify([image.reference, '--policy', file, '--allow-unmatched']);
    assert.deepEqual([allowed.code, ...gist(allowed)], [0, 'skip: image-not-matched']);
  });

  it('answers 2 and error, still JSON, for policies that cannot be judged', async () => {
    for (const [name, text, code] of [
      ['broken', 'kind: [', 'policy-malformed'],
      ['empty', '', 'policy-malformed'],
      ['typo', policyText('typo', files.pki.chainPem).replace('imageReferences', 'imageReference'), 'policy-malformed'],
      ['kind', 'apiVersion: policies.kyverno.io/v1\nkind: ImageValidatingPolicy\n', 'policy-unsupported'],
      ['refused', policyText('refused', files.pki.chainPem).replace('Enforce', 'Audit'), 'policy-refused'],
    ] as const) {
      const file = await scratch.write(`${name}.yaml`, text);
      const report = await verify([image.reference, '--policy', file]);
      assert.deepEqual([report.code, ...gist(report)], [2, `error: ${code}`], name);
      const beside = await verify([image.reference, '--policy', good, '--policy', file, '--allow-unmatched']);
      assert.equal(beside.code, 2, name);
    }
    const missing = await runCli(['verify', image.reference, '--policy', scratch.at('nowhere.yaml'), '--json']);
    assert.deepEqual([missing.code, missing.stdout], [2, '']);
    assert.match(missing.stderr, /--policy: .*nowhere\.yaml: there is no such file/);
  });

  it('answers 2 and error when registry, image or evidence cannot be reached', async () => {
    const away = await startRegistry();
    await away.stop();
    const policy = await write('anywhere', files.pki.chainPem, ['*']);
    const dead = await verify([`${away.host}/team/app:1.0`, '--policy', policy]);
    assert.deepEqual([dead.code, dead.digest, ...gist(dead)], [2, null, 'error: image-unreachable']);
    const gone = await pushTestImage(registry.host, { repository: 'team/gone' });
    {
      await using target = connect(registry.url);
      await target.deleteManifest(gone.repository, gone.digest);
    }
    const deleted = await verify([`${registry.host}/team/gone@${gone.digest}`, '--policy', policy]);
    assert.deepEqual([deleted.code, ...gist(deleted)], [2, 'error: image-unreachable']);
    const elsewhere = clusterPolicy([chainSet([files.pki.chainPem])], {
      element: { imageReferences: ['*'], repository: `${away.host}/evidence` },
    });
    const central = await scratch.write('central.yaml', elsewhere);
    const unreachable = await verify([image.reference, '--policy', central]);
    assert.deepEqual([unreachable.code, ...gist(unreachable)], [2, 'error: evidence-unreachable']);
  });
});
