import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildImage, buildLayer } from '#cli/demo/image-writer.ts';
import { pushImage } from '#cli/demo/push-image.ts';
import { TOOL_VERSION } from '#model/tool.ts';
import { debianItems } from '../../support/image.ts';
import { type InstalledPackage, installPackage } from '../../support/installed-package.ts';
import { makePki } from '../../support/pki.ts';
import { startRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';

let installed: InstalledPackage;

before(async () => {
  installed = await installPackage();
});
after(() => installed[Symbol.asyncDispose]());

test('the installed command runs, on standard output only', async () => {
  const { code, stdout, stderr } = await installed.attestry('--version');
  assert.equal(stdout, `attestry ${TOOL_VERSION}\n`);
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('the installed command attests an image, and verifies it', async () => {
  await using registry = await startRegistry();
  const image = `${registry.host}/team/app:1`;
  await pushDebianImage(registry.url);
  const pki = makePki();
  const files = { 'key.pem': pki.leaf.keyPem, 'certificate.pem': pki.leaf.pem, 'chain.pem': pki.chainPem };
  for (const [name, text] of Object.entries(files)) await writeFile(join(installed.folder, name), text);
  const trust = ['--certificate-chain', 'chain.pem'];

  const before = await installed.attestry('verify', image, '--type', 'cyclonedx', ...trust, '--json', '--quiet');
  assert.equal(before.code, 1, before.stderr);
  assert.deepEqual(outcomes(before.stdout), ['fail']);

  const signer = ['--key', 'key.pem', '--certificate', 'certificate.pem', ...trust];
  const attested = await installed.attestry('attest', image, '--type', 'cyclonedx', ...signer, '--quiet');
  assert.equal(attested.code, 0, attested.stderr);

  const verified = await installed.attestry('verify', image, '--type', 'cyclonedx', ...trust, '--json', '--quiet');
  assert.equal(verified.code, 0, verified.stderr);
  assert.deepEqual(outcomes(verified.stdout), ['pass']);
});

test('the package holds JavaScript and no sources, tests or state', async () => {
  const lock = JSON.parse(await readFile(join(installed.folder, 'node_modules', '.package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  assert.ok('node_modules/attestry' in lock.packages);
  assert.equal('node_modules/typescript' in lock.packages, false);
  const manifest = JSON.parse(
    await readFile(join(installed.folder, 'node_modules', 'attestry', 'dist', 'package.json'), 'utf8'),
  ) as { version: string };
  assert.equal(manifest.version, TOOL_VERSION);
  await assert.rejects(readFile(join(installed.folder, 'node_modules', 'attestry', 'worker', 'cli', 'main.ts')));
});

async function pushDebianImage(url: URL): Promise<void> {
  await using target = connect(url);
  const layer = await buildLayer(debianItems({ bash: '5.2.15-2', coreutils: '9.1-1' }));
  const platform = { os: 'linux', architecture: 'amd64' };
  await pushImage(target, 'team/app', '1', buildImage({ layers: [layer], platform }));
}

function outcomes(json: string): string[] {
  return (JSON.parse(json) as { verdicts: { outcome: string }[] }).verdicts.map(({ outcome }) => outcome);
}
