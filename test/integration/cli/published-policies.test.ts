import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { attest, gist, verify } from '../../support/attested.ts';
import { CLONE } from '../../support/cli.ts';
import { type PushedImage, pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SigningFiles, writeSigningFiles } from '../../support/signing-files.ts';

const FOLDER = `${CLONE}test/fixtures/policies`;
const KEYLESS = `${FOLDER}/check-image-keyless.yaml`;
const X509 = `${FOLDER}/check-image-x509.yaml`;

let registry: TestRegistry;
let scratch: Scratch;
let image: PushedImage;
let files: SigningFiles;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  image = await pushTestImage(registry.host, { repository: 'my_account/my_image', tag: 'latest' });
  files = await writeSigningFiles(scratch);
  const where = ['--oci-repo', `${registry.host}/my_account/evidence`];
  await attest([image.reference, '--type', 'slsaprovenance1', ...where, ...files.flags]);
});

after(async () => {
  await Promise.all([registry[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

/** The published X.509 policy with hosts, for our own CA. */
async function hosted(ignores: string): Promise<string> {
  const text = await readFile(X509, 'utf8');
  const chain = files.pki.chainPem.trimEnd().replace(/^/gm, ' '.repeat(19));
  return text
    .replaceAll('"my_account/', `"${registry.host}/my_account/`)
    .replace(/^ {19}-----BEGIN[\s\S]*-----END CERTIFICATE-----$/m, `${chain}\n${ignores}`);
}

describe('the policies that people have copied from the published page', () => {
  it('match nothing as printed: the message names both places that lack a host', async () => {
    const report = await verify([image.reference, '--policy', KEYLESS, '--policy', X509]);
    assert.deepEqual(
      [report.code, ...report.verdicts.map(({ policy, outcome }) => `${policy.name} ${outcome}`)],
      [2, 'check-image-keyless skip', 'check-image-x509 skip'],
    );
    for (const { reasons } of report.verdicts) {
      const told = reasons.filter(({ code }) => code === 'reference-without-host').map(({ message }) => message);
      assert.match(told.join('\n'), /imageReferences/);
      assert.match(told.join('\n'), /repository/);
    }
  });

  it('fail with hosts added, for want of a log entry, as in the cluster', async () => {
    const file = await scratch.write('hosted.yaml', await hosted(''));
    const report = await verify([image.reference, '--policy', file]);
    assert.equal(report.code, 1);
    assert.match(gist(report)[0] ?? '', /^fail: .*log-entry-missing/);
  });

  it('pass once the policy asks for neither log entry nor certificate timestamp', async () => {
    const at = ' '.repeat(17);
    const ignores = `${at}rekor: { ignoreTlog: true }\n${at}ctlog: { ignoreSCT: true }`;
    const file = await scratch.write('ignoring.yaml', await hosted(ignores));
    const report = await verify([image.reference, '--policy', file]);
    assert.deepEqual([report.code, ...gist(report)], [0, 'pass: verified']);
  });

  it('are refused by name, not guessed, where a form is not supported', async () => {
    const text = (await readFile(KEYLESS, 'utf8')).replaceAll('"my_account/', `"${registry.host}/my_account/`);
    const file = await scratch.write('keyless.yaml', text);
    const report = await verify([image.reference, '--policy', file]);
    assert.deepEqual([report.code, ...gist(report)], [2, 'error: policy-unsupported']);
    assert.match(report.verdicts[0]?.reasons[0]?.message ?? '', /keyless/);
  });
});
