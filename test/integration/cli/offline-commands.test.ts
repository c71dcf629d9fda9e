import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { CLONE, runCli } from '../../support/cli.ts';
import { makePki } from '../../support/pki.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SigningFiles, writeSigningFiles } from '../../support/signing-files.ts';

const SAMPLE = `${CLONE}test/fixtures/registry-events/distribution-push`;

let scratch: Scratch;
let files: SigningFiles;

before(async () => {
  scratch = await makeScratch();
  files = await writeSigningFiles(scratch);
  await scratch.write('token', 'a token that nobody guesses');
  await scratch.write('attestry.yaml', CONFIG);
  await scratch.write('policy.yaml', await readFile(`${CLONE}config/policies/check-sbom.yaml`, 'utf8'));
});

after(() => scratch[Symbol.asyncDispose]());

const CONFIG = `version: 1
registries: [{ id: main, name: registry.example.com }]
signers:
  - { id: release, type: x509, key: file:ca/key.pem, certificate: ca/certificate.pem, chain: ca/chain.pem }
rules:
  - name: releases
    match: { repository: release/** }
    when: { source: main }
    evidence: [{ type: cyclonedx, signer: release }]
  - { name: rest, match: { repository: team/** } }
sources:
  - { id: main, sender: distribution, registry: main, auth: { bearer: file:token } }
`;

/** A run in the folder of the files: their names are relative. */
function run(...args: readonly string[]) {
  return runCli(args, { cwd: scratch.dir });
}

describe('config', () => {
  it('check finds attestry.yaml here, and says what it holds', async () => {
    const { code, stdout, stderr } = await run('config', 'check');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^attestry\.yaml is valid/);
    const quiet = await run('config', 'check', '--quiet');
    assert.deepEqual(quiet, { code: 0, stdout: '', stderr: '' });
  });

  it('check names each problem with its place and mend, and answers 2', async () => {
    const text = CONFIG.replace('type: cyclonedx', 'type: cyclondx').replace('signer: release', 'signer: relase');
    await scratch.write('typos.yaml', text);
    const { code, stdout, stderr } = await run('config', 'check', '--config', 'typos.yaml');
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /typos\.yaml.*rules\[0\]\.evidence\[0\]\.type/);
    const json = await run('config', 'check', '--config', 'typos.yaml', '--json');
    const report = JSON.parse(json.stdout);
    assert.deepEqual([json.code, report.valid, report.file], [2, false, 'typos.yaml']);
    const missing = await run('config', 'check', '--config', 'nowhere.yaml');
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /nowhere\.yaml/);
  });

  it('explain says which rule holds, why those before it do not, and what follows', async () => {
    const { code, stdout } = await run('config', 'explain', 'registry.example.com/team/app:1.0');
    assert.equal(code, 0);
    assert.match(stdout, /not releases: repository team\/app is not release\/\*\*/);
    assert.match(stdout, /rule rest holds\n {2}no evidence is made/);
    const gated = await run('config', 'explain', 'registry.example.com/release/app:1.0', '--source', 'ci', '--json');
    const explanation = JSON.parse(gated.stdout);
    assert.equal(explanation.rule, 'releases');
    assert.match(explanation.unmet, /source ci is not main/);
    const nothing = await run('config', 'explain', 'registry.example.com/other/app');
    assert.match(nothing.stdout, /no rule holds: nothing is signed/);
    const foreign = await run('config', 'explain', 'elsewhere.example.com/team/app');
    assert.equal(foreign.code, 2);
    assert.match(foreign.stderr, /elsewhere\.example\.com/);
  });

  it('answers 64 where it is asked for nothing that it does', async () => {
    for (const args of [[], ['explain'], ['show'], ['check', 'more'], ['explain', 'a/b', '--actor', 'x']]) {
      const { code, stdout } = await run('config', ...args);
      assert.deepEqual([code, stdout], [64, ''], args.join(' '));
    }
  });
});

describe('certificate lint', () => {
  it('answers 0 for a fit certificate, 1 with rule and mend for another, 2 where there is none', async () => {
    const fit = await run('certificate', 'lint', files.certificate, '--chain', files.chain, '--key', files.key);
    assert.equal(fit.code, 0);
    assert.match(fit.stdout, /fit to sign: 0 errors/);
    const bad = await writeSigningFiles(scratch, 'bad', makePki({ leaf: { extendedKeyUsage: null } }));
    const unfit = await run('certificate', 'lint', bad.certificate, '--chain', bad.chain);
    assert.equal(unfit.code, 1);
    assert.match(unfit.stdout, /^error: code-signing: .*\n {2}mend: /m);
    const missing = await run('certificate', 'lint', 'nowhere.pem');
    assert.deepEqual([missing.code, missing.stdout], [2, '']);
  });
});

describe('hooks parse', () => {
  const sample = ['--headers', `${SAMPLE}.headers.json`, '--body', `${SAMPLE}.json`];

  it('says what a stored delivery would enqueue and skip', async () => {
    const assume = ['--assume', `${SAMPLE}.expected.json`];
    const { code, stdout, stderr } = await run('hooks', 'parse', 'distribution', ...sample, ...assume, '--json');
    assert.deepEqual([code, stderr], [0, '']);
    const told = JSON.parse(stdout);
    const expected = JSON.parse(await readFile(`${SAMPLE}.expected.json`, 'utf8'));
    assert.equal(told.sender, 'distribution');
    assert.deepEqual(
      told.enqueue.map(({ ref }: { ref: string }) => ref),
      expected.enqueue.map(({ ref }: { ref: string }) => ref),
    );
    const text = await run('hooks', 'parse', 'distribution', ...sample, ...assume);
    assert.match(text.stdout, /^distribution: authentication \S+, answer 2xx\n/);
  });

  it('takes the source from a configuration, and believes no other registry', async () => {
    await scratch.write('other.yaml', CONFIG.replace('registry.example.com', 'other.example.com'));
    const reasons: unknown[] = [];
    for (const file of ['attestry.yaml', 'other.yaml']) {
      const source = ['--config', file, '--source', 'main', '--json'];
      const { code, stdout } = await run('hooks', 'parse', 'distribution', ...sample, ...source);
      assert.equal(code, 0);
      const { enqueue, skipped } = JSON.parse(stdout);
      reasons.push([enqueue.length, ...skipped.map(({ reason }: { reason: string }) => reason)]);
    }
    assert.deepEqual(reasons, [[1], [0, 'host-not-allowed']]);
  });

  it('answers 64 for wrong usage and 2 for files that are not fit', async () => {
    for (const [args, wanted] of [
      [['parse'], 64],
      [['parse', 'harbour', ...sample], 64],
      [['parse', 'distribution', '--headers', `${SAMPLE}.headers.json`], 64],
      [['parse', 'distribution', '--headers', 'attestry.yaml', '--body', `${SAMPLE}.json`], 2],
      [['parse', 'distribution', ...sample, '--config', 'attestry.yaml', '--source', 'other'], 2],
    ] as const) {
      const { code, stdout } = await run('hooks', ...args);
      assert.deepEqual([code, stdout], [wanted, ''], args.join(' '));
    }
  });
});
