import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import { authenticate, authenticateNobody } from '#producer/intake/authenticate.ts';
import type { HeaderCredential as Credential } from '#producer/intake/credential.ts';
import type { SourceOptions } from '#producer/intake/options.ts';
import { mountSource } from '#producer/intake/source.ts';
import { secretsFrom } from '../../support/producer.ts';

const secrets =
  (...values: string[]) =>
  () =>
    values.map((value) => new Secret(value, 'env:X'));
const ok = (credential: Credential, headers: Record<string, string>) => authenticate(credential, headers).ok;

describe('authenticate', () => {
  test('bearer: any of the tokens, the scheme in any case, and who it was', () => {
    const bearers = [
      { name: 'ci', tokens: secrets('new', 'old') },
      { name: 'ops', tokens: secrets('third') },
    ];
    const credential: Credential = { kind: 'bearer', bearers };
    assert.deepEqual(authenticate(credential, { authorization: 'Bearer old' }), { ok: true, bearer: 'ci' });
    assert.deepEqual(authenticate(credential, { authorization: 'bearer third' }), { ok: true, bearer: 'ops' });
    for (const authorization of ['Bearer', 'Bearer ', 'Bearer ne', 'Bearer new old', 'Basic new', 'new', '']) {
      assert.equal(ok(credential, { authorization }), false, authorization);
    }
    assert.equal(ok(credential, {}), false);
  });

  test('basic: name and password together', () => {
    const credential: Credential = { kind: 'basic', username: 'hook', passwords: secrets('p:w', 'two') };
    const header = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    assert.equal(ok(credential, header('hook:p:w')), true);
    assert.equal(ok(credential, header('hook:two')), true);
    for (const text of ['hook:', 'hook', 'other:p:w', 'hook:p', '']) assert.equal(ok(credential, header(text)), false);
    assert.equal(ok(credential, { authorization: 'Basic !!' }), false);
  });

  test('static header: the whole value, the name in any case', () => {
    const credential: Credential = { kind: 'static-header', header: 'X-Api-Key', values: secrets('Bearer t') };
    assert.equal(ok(credential, { 'x-api-key': 'Bearer t' }), true);
    assert.equal(ok(credential, { 'x-api-key': 't' }), false);
    assert.equal(ok(credential, { authorization: 'Bearer t' }), false);
  });

  test('an empty secret matches nothing, and nobody is nobody', () => {
    assert.equal(ok({ kind: 'static-header', header: 'x', values: secrets('') }, { x: '' }), false);
    assert.equal(ok({ kind: 'bearer', bearers: [] }, { authorization: 'Bearer x' }), false);
    assert.equal(authenticateNobody({ authorization: 'Bearer decoy' }).ok, false);
    assert.equal(ok({ kind: 'none' }, {}), true);
  });
});

describe('mounting a source', () => {
  const registries = [{ id: 'main', name: 'registry.example.com', hosts: ['registry:5000'] }];
  const options: SourceOptions = {
    id: 'hub',
    sender: 'distribution',
    registries: ['main'],
    auth: { kind: 'bearer', secrets: ['env:TOKEN'] },
    digestOnly: 'skip',
    attestationTagSuffixes: [],
    ignoreActors: [],
    ratePerHour: 10,
  };
  const refusal = (change: object, values: Record<string, string> = { TOKEN: 't' }): string => {
    try {
      mountSource({ ...options, ...change } as SourceOptions, registries, secretsFrom(values));
    } catch (error) {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, 'config-invalid');
      return `${error.field}: ${error.mend}`;
    }
    return 'mounted';
  };

  test('binds to its registry by every host that means it', () => {
    const { binding } = mountSource(options, registries, secretsFrom({ TOKEN: 't' }));
    assert.equal(binding.registryOf('registry:5000'), 'registry.example.com');
    assert.equal(binding.registryOf('other'), undefined);
    assert.equal(binding.registry, 'registry.example.com');
  });

  test('a credential is read anew with each delivery', () => {
    const values = { TOKEN: 'old' };
    const { credential } = mountSource(options, registries, secretsFrom(values));
    values.TOKEN = 'new';
    assert.ok(credential.kind === 'bearer');
    assert.equal(ok(credential, { authorization: 'Bearer new' }), true);
    assert.equal(ok(credential, { authorization: 'Bearer old' }), false);
  });

  test('without a credential it is not mounted, unless none is written', () => {
    assert.match(refusal({}, { TOKEN: '' }), /^sources\.hub\.auth: /);
    assert.match(refusal({ auth: { kind: 'bearer', secrets: [] } }), /auth: none/);
    assert.equal(refusal({ auth: { kind: 'none' } }), 'mounted');
  });

  test('an unknown sender or registry, or two registries, are named', () => {
    assert.match(refusal({ sender: 'docker-hub' }), /^sources\.hub\.sender: write one of .*distribution, dockerhub, /);
    assert.match(refusal({ registries: ['other'] }), /^sources\.hub\.registries: /);
    assert.match(refusal({ registries: ['main', 'main'] }), /^sources\.hub\.registries: name exactly one$/);
  });
});
