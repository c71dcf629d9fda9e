import assert from 'node:assert/strict';
import test from 'node:test';
import { isRemoteKey, readKeyReference } from '#model/key-reference.ts';
import { isKeySetting, KEY_SETTINGS, settingComplaint } from '#model/key-settings.ts';
import { SignerOptions } from '#signing/options.ts';
import { CANARY } from '../../../support/failure.ts';

const UUID = '1234abcd-12ab-34cd-56ef-1234567890ab';

test('references in the forms of cosign are read', () => {
  const forms = {
    'file:/run/key.pem': { kind: 'secret', reference: 'file:/run/key.pem' },
    'env:KEY': { kind: 'secret', reference: 'env:KEY' },
    [`awskms:///${UUID}`]: { kind: 'awskms', keyId: UUID },
    [`awskms://localhost:4566/${UUID}`]: { kind: 'awskms', endpoint: 'localhost:4566', keyId: UUID },
    'awskms:///alias/team/release': { kind: 'awskms', keyId: 'alias/team/release' },
    [`awskms:///arn:aws:kms:us-east-2:111122223333:key/${UUID}`]: {
      kind: 'awskms',
      keyId: `arn:aws:kms:us-east-2:111122223333:key/${UUID}`,
      region: 'us-east-2',
    },
    'awskms:///arn:aws-cn:kms:cn-north-1:111122223333:alias/release': {
      kind: 'awskms',
      keyId: 'arn:aws-cn:kms:cn-north-1:111122223333:alias/release',
      region: 'cn-north-1',
    },
    'azurekms://kv.vault.azure.net/release': { kind: 'azurekms', vault: 'kv.vault.azure.net', name: 'release' },
    'azurekms://kv/release/0123': { kind: 'azurekms', vault: 'kv.vault.azure.net', name: 'release', version: '0123' },
    'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/versions/3': {
      kind: 'gcpkms',
      key: 'projects/p/locations/l/keyRings/r/cryptoKeys/k',
      version: '3',
    },
    'hashivault://team.release': { kind: 'hashivault', name: 'team.release' },
    'pkcs11:token=Token%20One;slot-id=1;id=%4a%8D;object=key?module-path=/usr/lib/p11.so&pin-source=file:/run/pin': {
      kind: 'pkcs11',
      token: 'Token One',
      slotId: 1,
      id: '4a8d',
      object: 'key',
      modulePath: '/usr/lib/p11.so',
      pinSource: 'file:/run/pin',
    },
  };
  for (const [text, reference] of Object.entries(forms)) {
    assert.deepEqual(readKeyReference(text), { ok: true, reference }, text);
    assert.equal(isRemoteKey(text), reference.kind !== 'secret', text);
  }
});

test('what is no reference is refused without being quoted', () => {
  const texts = [
    CANARY,
    `-----BEGIN PRIVATE KEY-----\n${CANARY}`,
    `k8s://${CANARY}/key`,
    'awskms://',
    `awskms:///${CANARY}`,
    `awskms://user:${CANARY}@host/${UUID}`,
    'azurekms://kv.vault.azure.net',
    `azurekms://kv.vault.azure.net/name/v/${CANARY}`,
    `gcpkms://projects/${CANARY}`,
    'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k?x',
    'hashivault://a/b',
    `pkcs11:token=t;object=k?pin-value=${CANARY}`,
    `pkcs11:token=t;object=k?${CANARY}=1`,
    'pkcs11:object=k',
    'pkcs11:token=t',
    'pkcs11:token=t;object=%zz',
    'pkcs11:token=t;object=k?module-path=relative.so',
    'pkcs11:token=t;object=k;type=public',
    `pkcs11:token=t;object=k?pin-source=|${CANARY}`,
    `hashivault://${'a'.repeat(3000)}`,
  ];
  for (const text of texts) {
    const read = readKeyReference(text);
    assert.equal(read.ok, false, text);
    if (read.ok) continue;
    assert.doesNotMatch(`${read.message} ${read.mend}`, new RegExp(CANARY));
    assert.ok(read.mend);
  }
});

test('a signer may say how its key is reached; secrets there are references', () => {
  const signer = (access: Record<string, string>) =>
    SignerOptions.safeParse({ id: 'release', type: 'key', key: 'hashivault://release', access });
  assert.equal(signer({ VAULT_ADDR: 'https://vault:8200', VAULT_TOKEN: 'file:/run/token' }).success, true);
  const bad = { VAULT_TOKEN: CANARY, VAULT_CACERT: 'relative.pem', VAULT_ADRESS: 'https://vault' };
  for (const [name, value] of Object.entries(bad)) {
    const read = signer({ [name]: value });
    assert.equal(read.success, false, name);
    assert.match(String(read.error), new RegExp(name));
    assert.doesNotMatch(String(read.error), new RegExp(CANARY));
  }
});

test('every setting says what it means, and secrets are known as such', () => {
  for (const [name, { meaning }] of Object.entries(KEY_SETTINGS)) {
    assert.ok(isKeySetting(name));
    assert.ok(meaning);
    const isSecret = /SECRET_(?:ACCESS_KEY|ID)$|SECRET$|_TOKEN$|PIN$|IDENTITY_HEADER/.test(name);
    assert.equal(settingComplaint(name, 'https://plain')?.mend.includes('env:NAME') ?? false, isSecret, name);
  }
});
