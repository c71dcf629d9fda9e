import assert from 'node:assert/strict';
import { it } from 'node:test';
import { canonicalHost, credentialKey, registryUrl } from '#oci/registry-url.ts';

it('speaks plain http to this machine and to RFC 1918 literals, https to everybody else', () => {
  const plain = ['localhost', 'localhost:5000', 'reg.localhost:5000', '127.0.0.1:5000', '127.1.2.3', '[::1]:5000'];
  for (const address of [...plain, '10.0.0.1:5000', '172.16.0.1', '192.168.1.1:80']) {
    assert.equal(registryUrl(address, undefined).protocol, 'http:', address);
    assert.equal(registryUrl(address, false).protocol, 'https:', address);
  }
  for (const address of ['registry.example', 'registry:5000', '172.32.0.1', '[fd00::1]:5000', 'localhost.example']) {
    assert.equal(registryUrl(address, undefined).protocol, 'https:', address);
    assert.equal(registryUrl(address, true).protocol, 'http:', address);
  }
});

it('keeps the port that is dialled', () => {
  assert.equal(registryUrl('registry.example:8443', undefined).href, 'https://registry.example:8443/');
  assert.equal(registryUrl('[::1]:5000', undefined).href, 'http://[::1]:5000/');
});

it('knows Docker Hub by all of its names', () => {
  for (const host of ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'Docker.IO']) {
    assert.equal(canonicalHost(host), 'docker.io');
    assert.equal(registryUrl(host, undefined).href, 'https://registry-1.docker.io/');
    assert.equal(credentialKey(host), 'https://index.docker.io/v1/');
  }
  assert.equal(credentialKey('registry.example:5000'), 'registry.example:5000');
});
