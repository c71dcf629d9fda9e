import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readAttestationTag } from '#storage/attestation-tag-reader.ts';
import { attest } from '../../support/attested.ts';
import { runCli } from '../../support/cli.ts';
import { pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SigningFiles, writeSigningFiles } from '../../support/signing-files.ts';

let registry: TestRegistry;
let scratch: Scratch;
let files: SigningFiles;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  files = await writeSigningFiles(scratch);
});

after(async () => {
  await Promise.all([registry[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

/** What lies at the attestation tag: envelope digests by order. */
async function layersAt(repository: string, digest: `sha256:${string}` | `sha512:${string}`) {
  await using target = connect(registry.url);
  const { evidence } = await readAttestationTag(target, { registry: 'registry.test', repository, digest });
  return evidence.map(({ descriptor }) => descriptor);
}

describe('attest', () => {
  it('attaches SBOM and provenance in one manifest, and finds them there the next time', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/first' });
    const args = [image.reference, ...files.flags];
    const first = await attest(args);
    const location = `${registry.host}/team/first:${image.digest.replace(':', '-')}.att`;
    assert.deepEqual(Object.keys(first), ['image', 'digest', 'attestations']);
    assert.equal(first.image, `${image.reference}@${image.digest}`);
    assert.equal(first.digest, image.digest);
    assert.deepEqual(
      first.attestations.map(({ digest: _, ...rest }) => rest),
      [
        {
          type: 'cyclonedx',
          predicateType: 'https://cyclonedx.org/bom',
          subject: image.digest,
          layout: 'cosign-tag',
          location,
          state: 'created',
        },
        {
          type: 'slsaprovenance1',
          predicateType: 'https://slsa.dev/provenance/v1',
          subject: image.digest,
          layout: 'cosign-tag',
          location,
          state: 'created',
        },
      ],
    );
    const listed = (await layersAt('team/first', image.digest)).map(({ digest }) => digest);
    assert.deepEqual(
      listed,
      first.attestations.map(({ digest }) => digest),
    );
    const second = await attest(args);
    assert.deepEqual(
      second.attestations.map(({ digest, state }) => [digest, state]),
      listed.map((digest) => [digest, 'present']),
    );
  });

  it('gives an index SBOMs for each platform and itself, provenance for itself', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/index', index: true });
    const report = await attest([image.reference, ...files.flags]);
    const told = report.attestations.map(({ type, subject }) => `${type} ${subject}`).sort();
    const wanted = [...image.platforms, image.digest].map((digest) => `cyclonedx ${digest}`);
    assert.deepEqual(told, [...wanted, `slsaprovenance1 ${image.digest}`].sort());
  });

  it('takes types by cosign’s names and by predicateType URI, and adds what is missing only', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/types' });
    const one = await attest([image.reference, '--type', 'https://cyclonedx.org/bom/v1.6', ...files.flags]);
    assert.deepEqual(
      one.attestations.map(({ type, predicateType, state }) => [type, predicateType, state]),
      [['cyclonedx', 'https://cyclonedx.org/bom/v1.6', 'created']],
    );
    const both = ['--type', 'https://cyclonedx.org/bom/v1.6', '--type', 'slsaprovenance1'];
    const two = await attest([image.reference, ...both, ...files.flags]);
    assert.deepEqual(
      two.attestations.map(({ state }) => state),
      ['present', 'created'],
    );
    const listed = await layersAt('team/types', image.digest);
    assert.deepEqual(
      listed.map(({ annotations }) => annotations?.predicateType),
      ['https://cyclonedx.org/bom/v1.6', 'https://slsa.dev/provenance/v1'],
    );
  });

  it('makes its own anew with --force, and leaves what others signed', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/force' });
    const others = await writeSigningFiles(scratch, 'others');
    const foreign = await attest([image.reference, '--type', 'cyclonedx', ...others.flags]);
    const own = await attest([image.reference, '--type', 'cyclonedx', ...files.flags]);
    assert.equal(own.attestations[0]?.state, 'created');
    const forced = await attest([image.reference, '--type', 'cyclonedx', '--force', ...files.flags]);
    assert.equal(forced.attestations[0]?.state, 'replaced');
    const listed = (await layersAt('team/force', image.digest)).map(({ digest }) => digest);
    assert.deepEqual(listed, [foreign.attestations[0]?.digest, forced.attestations[0]?.digest]);
  });

  it('puts evidence into exactly --repository, or below --oci-repo', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/central' });
    const tag = `${image.digest.replace(':', '-')}.att`;
    const type = ['--type', 'slsaprovenance1'];
    const exact = ['--repository', `${registry.host}/security/evidence`];
    const report = await attest([image.reference, ...type, ...exact, ...files.flags]);
    assert.equal(report.attestations[0]?.location, `${registry.host}/security/evidence:${tag}`);
    const valint = ['--oci-repo', `${registry.host}/security/evidence/`];
    const below = await attest([image.reference, ...type, ...valint, ...files.flags]);
    assert.equal(below.attestations[0]?.location, `${registry.host}/security/evidence/container:${tag}`);
    assert.deepEqual(await layersAt('team/central', image.digest), []);
    const both = await runCli(['attest', image.reference, ...exact, ...valint, ...files.flags]);
    assert.equal(both.code, 64);
    assert.match(both.stderr, /--repository and --oci-repo exclude each other/);
  });

  it('writes results to stdout and progress to stderr, none with --quiet, no colour codes', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/output' });
    const first = await runCli(['attest', image.reference, ...files.flags], { env: { NO_COLOR: '1' } });
    assert.equal(first.code, 0);
    assert.match(first.stdout, /^(?:created\t(?:cyclonedx|slsaprovenance1)\t\S+\.att\tsha256:[0-9a-f]{64}\n){2}$/);
    assert.match(first.stderr, /reading layer 1 of 1[^\n]*\nfound 2 packages in sha256:/);
    assert.ok(!`${first.stdout}${first.stderr}`.includes('\u001b'));
    const quiet = await runCli(['attest', image.reference, '--force', '--quiet', ...files.flags]);
    assert.deepEqual([quiet.code, quiet.stderr], [0, '']);
    assert.match(quiet.stdout, /^replaced\t/);
  });

  it('answers 2 for an image that is not there, and for one that is no image', async () => {
    const image = await pushTestImage(registry.host, { repository: 'team/bad' });
    const gone = await runCli(['attest', `${registry.host}/team/bad:nowhere`, ...files.flags]);
    assert.deepEqual([gone.code, gone.stdout], [2, '']);
    assert.match(gone.stderr, /^attestry: .*manifest nowhere of team\/bad.* 404 /);
    await attest([image.reference, ...files.flags]);
    const evidence = `${registry.host}/team/bad:${image.digest.replace(':', '-')}.att`;
    const echo = await runCli(['attest', evidence, ...files.flags]);
    assert.equal(echo.code, 2);
    assert.match(echo.stderr, /is no image/);
  });
});
