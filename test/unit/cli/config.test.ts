import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { configCommand } from '#cli/commands/config.ts';
import { MINIMAL } from '../../support/config-text.ts';
import { makePki, type Pki } from '../../support/pki.ts';

let dir: string;
let pki: Pki;
const POLICY = join(import.meta.dirname, '..', '..', '..', 'config', 'policies', 'check-evidence.yaml');

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'attestry-config-command-'));
  pki = makePki();
  await writeFile(join(dir, 'attestry.yaml'), MINIMAL);
  await writeFile(join(dir, 'signer.crt'), pki.leaf.pem);
  await writeFile(join(dir, 'chain.crt'), pki.chainPem);
  await writeFile(join(dir, 'policy.yaml'), await readFile(POLICY));
});

after(() => rm(dir, { recursive: true }));

async function run(args: readonly string[], env: Record<string, string> = { KEY: pki.leaf.keyPem, TOKEN: 't' }) {
  let stdout = '';
  let stderr = '';
  const code = await configCommand(args, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    readFile: (path) => readFile(path),
    env,
    now: () => new Date(),
  });
  return { code, stdout, stderr };
}

const file = () => join(dir, 'attestry.yaml');

test('check: a configuration whose keys, certificates and policies hold is valid', async () => {
  const { code, stdout, stderr } = await run(['check', '--config', file()]);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  assert.match(stdout, /is valid \(registries 1, rules 1, policies 1, sources 1, sinks 0\)/);
});

test('check takes the file from ATTESTRY_CONFIG, and says JSON when asked', async () => {
  const { code, stdout } = await run(['check', '--json'], {
    ATTESTRY_CONFIG: file(),
    KEY: pki.leaf.keyPem,
    TOKEN: 't',
  });
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), { file: file(), valid: true, problems: [] });
});

test('check: what a worker would refuse at its start is found, with its place', async () => {
  const { code, stdout } = await run(['check', '--json', '--config', file()], {
    KEY: makePki().leaf.keyPem,
    TOKEN: 't',
  });
  assert.equal(code, 2);
  const [problem, ...others] = JSON.parse(stdout).problems;
  assert.deepEqual(others, []);
  assert.equal(problem.key, 'signers[0]');
  assert.equal(problem.line, 6);
  assert.equal(problem.severity, 'error');
});

test('check: a policy that cannot be judged is a warning', async () => {
  const bad = join(dir, 'warned.yaml');
  await writeFile(join(dir, 'odd.yaml'), 'apiVersion: example.com/v1\nkind: Odd\nmetadata: { name: x }\n');
  await writeFile(bad, MINIMAL.replace('policy.yaml', 'odd.yaml'));
  const { code, stderr } = await run(['check', '--config', bad]);
  assert.equal(code, 0);
  assert.match(stderr, /warned\.yaml:8:\d+: warning: policies\[0\]\.file: /);
});

test('check: an invalid file is 2, its problems on stderr, nothing on stdout', async () => {
  const bad = join(dir, 'bad.yaml');
  await writeFile(bad, `${MINIMAL}zzz: 1\n`);
  const { code, stdout, stderr } = await run(['check', '--no-files', '--config', bad]);
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /bad\.yaml:15:1: zzz: unknown key/);
  assert.equal((await run(['check', '--config', join(dir, 'nope.yaml')])).code, 2);
});

test('check: what hangs on nothing else is found in one run, whatever else is wrong', async () => {
  const policy = `
kind: ClusterPolicy
metadata: { name: bundles }
spec: { rules: [{ verifyImages: [{ type: SigstoreBundle, attestations: [{ type: "https://cyclonedx.org/bom" }] }] }] }
`;
  await writeFile(join(dir, 'bundles.yaml'), policy);
  const several = join(dir, 'several.yaml');
  const keyless = `
  - id: worker
    type: keyless
    fulcio: { url: "https://fulcio.example.com" }
    identity: { subject: "https://example.com/worker", issuer: "https://issuer.example.com" }
    token: { from: github }
    trust: fulcio
    witnesses: log
witnesses:
  - { id: log, type: rekor, url: "https://rekor.example.com" }
  - { id: second, type: rekor, version: 2, url: "https://rekor2.example.com" }
trusts: [{ id: fulcio, certificateChain: chain.crt }]`;
  await writeFile(
    several,
    MINIMAL.replace('policy.yaml', 'bundles.yaml')
      .replace('chain: chain.crt }', `chain: nowhere.crt, witnesses: second }${keyless}`)
      .replace('signer: release }]', 'signer: release, layout: cosign-tag }]'),
  );
  const { code, stdout } = await run(['check', '--json', '--config', several]);
  assert.equal(code, 2);
  const all: readonly { key: string; message: string; severity: string; line: number }[] = JSON.parse(stdout).problems;
  const problems = all.filter(({ severity }) => severity === 'error');
  const wanted: readonly (readonly [string, RegExp])[] = [
    ['signers[0].chain', /nowhere\.crt cannot be read/],
    ['signers[1]', /the time that its witnesses tell could not be checked/],
    ['rules[0].evidence[0]', /Rekor v2 log as its only witness .* cosign's tags cannot hold its entries/],
    ['rules[0].evidence[0]', /type SigstoreBundle cannot read cyclonedx .* which ClusterPolicy\/bundles asks for/],
  ];
  for (const [key, message] of wanted) {
    assert.ok(
      problems.some((problem) => problem.key === key && message.test(problem.message)),
      `${key} ${message}: ${JSON.stringify(problems, null, 1)}`,
    );
  }
  assert.equal(problems.length, wanted.length, JSON.stringify(problems, null, 1));
  const lines = all.map(({ line }) => line);
  assert.deepEqual(
    lines,
    lines.toSorted((a, b) => a - b),
  );
});

test('explain says which rule holds and what follows, as text and as JSON', async () => {
  const image = 'registry.example.com/team/app:1.0';
  const text = await run(['explain', image, '--config', file()]);
  assert.equal(text.code, 0);
  assert.match(text.stdout, /^registry\.example\.com\/team\/app:1\.0\n {2}rule all holds\n/);
  assert.match(text.stdout, /policy evidence: .*policy\.yaml; every 6h/);
  const json = await run(['explain', image, '--json', '--config', file()]);
  assert.equal(JSON.parse(json.stdout).rule, 'all');
});

test('explain of an unknown registry or a bad reference is 2', async () => {
  const unknown = await run(['explain', 'other.example.com/a:1', '--json', '--config', file()]);
  assert.equal(unknown.code, 2);
  assert.equal(JSON.parse(unknown.stdout).error.code, 'unknown-registry');
  assert.equal((await run(['explain', 'A/b', '--config', file()])).code, 2);
});

test('wrong calls are 64 with the usage', async () => {
  for (const args of [
    [],
    ['chek'],
    ['explain'],
    ['explain', 'a', 'b'],
    ['check', '--nope'],
    ['explain', 'a', '--actor', 'x'],
  ]) {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 64, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /Usage:/);
  }
  assert.equal((await run(['--help'])).code, 0);
});
