import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RegistryOptions } from '#oci/options.ts';

const NAME = { name: 'registry.example' };

it('takes the name for the id, and no aliases, when nothing else is said', () => {
  assert.deepEqual(RegistryOptions.parse(NAME), { id: 'registry.example', name: 'registry.example', aliases: [] });
});

it('takes each form of credentials alone', () => {
  const forms = [
    { username: 'me', password: 'env:PASSWORD' },
    { token: 'file:/run/secrets/token' },
    { dockerConfig: '/etc/attestry/docker.json' },
  ];
  for (const credentials of forms) {
    assert.deepEqual(RegistryOptions.parse({ ...NAME, credentials }).credentials, credentials);
  }
  for (const credentials of [
    {},
    { username: 'me' },
    { ...forms[0], ...forms[1] },
    { username: 'me', password: 'plain' },
  ]) {
    assert.equal(RegistryOptions.safeParse({ ...NAME, credentials }).success, false, JSON.stringify(credentials));
  }
});

it('takes credentials of a proxy beside the proxy, never inside its URL', () => {
  const proxyCredentials = { username: 'me', password: 'env:PROXY_PASSWORD' };
  const proxy = 'http://proxy.example:3128';
  assert.deepEqual(RegistryOptions.parse({ ...NAME, proxy, proxyCredentials }).proxyCredentials, proxyCredentials);
  const alone = RegistryOptions.safeParse({ ...NAME, proxyCredentials });
  assert.deepEqual(alone.error?.issues[0]?.path, ['proxyCredentials']);
  const inside = RegistryOptions.safeParse({ ...NAME, proxy: 'http://me:T0PS3CRET@proxy.example' });
  assert.doesNotMatch(JSON.stringify(inside.error), /T0PS3CRET/);
  assert.equal(inside.success, false);
});

it('takes a folder in the place of a server, and nothing beside it that is for dialling', () => {
  const directory = 'layouts';
  assert.equal(RegistryOptions.parse({ ...NAME, directory }).directory, directory);
  for (const over of [
    { address: 'other.example' },
    { plainHttp: true },
    { ca: 'ca.pem' },
    { proxy: 'http://proxy.example:3128' },
    { credentials: { token: 'env:TOKEN' } },
  ]) {
    const { error } = RegistryOptions.safeParse({ ...NAME, directory, ...over });
    assert.deepEqual(error?.issues[0]?.path, Object.keys(over));
    assert.match(error?.issues[0]?.message ?? '', /is a folder/);
  }
  for (const bad of ['', 'https://registry.example', 'file:/layouts', 'a\0b']) {
    assert.equal(RegistryOptions.safeParse({ ...NAME, directory: bad }).success, false, bad);
  }
});
