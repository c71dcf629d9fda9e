import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { runCli } from '../../support/cli.ts';
import { writeInstallation } from '../../support/installation-files.ts';
import { makePki } from '../../support/pki.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

const PLACES = { redisUrl: 'redis://127.0.0.1:1', registry: 'registry.example.com' };

/** Changes the one signer of the written configuration. */
async function withSigner(scratch: Scratch, config: string, change: object): Promise<string> {
  const read = parse(await readFile(config, 'utf8'));
  read.signers[0] = { ...read.signers[0], ...change };
  return await scratch.write('changed.yaml', stringify(read));
}

async function check(config: string) {
  const { code, stdout, stderr } = await runCli(['config', 'check', '--config', config]);
  return { code, said: stdout + stderr };
}

test('a key of a service is not asked for by a check; its certificate is linted all the same', async () => {
  await using scratch = await makeScratch();
  const { config } = await writeInstallation(scratch, PLACES);
  // Nobody listens there: a check that sent anything would fail.
  const remote = {
    key: 'hashivault://release',
    access: { VAULT_ADDR: 'http://127.0.0.1:1', VAULT_TOKEN: 'file:vault-token' },
  };
  const changed = await withSigner(scratch, config, remote);
  const missing = await check(changed);
  assert.match(missing.said, /vault-token cannot be read \(no such file\)/);
  await scratch.write('vault-token', 'hvs.token');
  const sound = await check(changed);
  assert.equal(sound.code, 0, sound.said);
  const bad = makePki({ leaf: { subjectAlternativeNames: null } });
  await scratch.write('ca/certificate.pem', bad.leaf.pem);
  await scratch.write('ca/chain.pem', bad.chainPem);
  const linted = await check(changed);
  assert.notEqual(linted.code, 0);
  assert.match(linted.said, /alternative-name/);
});

test('a reference that is none, or a secret written out, is told with its place', async () => {
  await using scratch = await makeScratch();
  const { config } = await writeInstallation(scratch, PLACES);
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ key: 'awskms://nonsense' }, /signers\[0\]\.key.*awskms/s],
    [{ key: 'pkcs11:token=t;object=o?pin-value=1234' }, /a PIN must not stand in the reference/],
    [{ key: 'hashivault://k', access: { VAULT_TOKEN: 'hvs.secret' } }, /VAULT_TOKEN is a secret/],
    [{ key: 'hashivault://k', access: { VAULT_CACERT: 'ca.pem' } }, /VAULT_CACERT is no absolute path/],
    [{ key: 'hashivault://k', access: { VAULT_ADRESS: 'https://v' } }, /VAULT_ADRESS/],
  ];
  for (const [change, message] of cases) {
    const { code, said } = await check(await withSigner(scratch, config, change));
    assert.notEqual(code, 0);
    assert.match(said, message);
    assert.doesNotMatch(said, /hvs\.secret|1234/);
  }
});
