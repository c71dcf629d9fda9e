import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { CLONE, runCli, startCli, startProgram } from '../../support/cli.ts';
import { chainSet, clusterPolicy } from '../../support/cluster-policy.ts';
import { type PushedImage, pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SigningFiles, writeSigningFiles } from '../../support/signing-files.ts';

let registry: TestRegistry;
let scratch: Scratch;
let files: SigningFiles;
let image: PushedImage;

before(async () => {
  [registry, scratch] = await Promise.all([startRegistry(), makeScratch()]);
  files = await writeSigningFiles(scratch);
  image = await pushTestImage(registry.host);
  const policy = clusterPolicy([chainSet([files.pki.chainPem])], {
    element: { imageReferences: [`${registry.host}/*`] },
  });
  await scratch.write('policy.yaml', policy);
});

after(async () => {
  await Promise.all([registry[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

describe('attest and verify', () => {
  it('work from any folder, with an empty home that stays empty, and without proxy settings', async () => {
    await using home = await makeScratch();
    const settings = { cwd: scratch.dir, env: { HOME: home.dir } };
    const flags = ['--key', 'ca/key.pem', '--certificate', 'ca/certificate.pem', '--certificate-chain', 'ca/chain.pem'];
    const attested = await runCli(['attest', image.reference, ...flags, '--quiet'], settings);
    assert.deepEqual([attested.code, attested.stderr], [0, '']);
    const verified = await runCli(['verify', image.reference, '--policy', 'policy.yaml'], settings);
    assert.equal(verified.code, 0, verified.stdout);
    assert.deepEqual(await readdir(home.dir), []);
  });

  it('work by npx from another folder', async () => {
    await using home = await makeScratch();
    const args = [
      '--yes',
      '--prefix',
      CLONE,
      'attestry',
      'verify',
      image.reference,
      '--policy',
      'policy.yaml',
      '--json',
    ];
    await using npx = startProgram('npx', args, { cwd: scratch.dir, env: { HOME: home.dir } });
    const { code, stdout, stderr } = await npx.ended;
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).verdicts[0].outcome, 'pass');
  });

  it('are told of the registry by its name in whatever way loopback is written', async () => {
    const { port } = registry;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      const trust = ['--type', 'cyclonedx', '--ca-roots', files.roots];
      const { code, stdout } = await runCli(['verify', `${host}/team/app:1.0`, ...trust]);
      assert.equal(code, 0, stdout);
    }
  });

  it('end in order at Ctrl-C while the registry keeps them waiting', async () => {
    const silent = createServer((socket) => void socket.resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    for (const [command, ...flags] of [
      ['attest', ...files.flags],
      ['verify', '--policy', 'policy.yaml'],
    ]) {
      const asked = once(silent, 'connection');
      await using running = startCli([`${command}`, `localhost:${port}/team/app`, ...flags], { cwd: scratch.dir });
      await asked;
      running.signal('SIGINT', 'launcher');
      const { code, stdout, stderr } = await running.ended;
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.equal(stderr, 'attestry: stopped before the end\n');
    }
    silent.close();
  });
});
