import assert from 'node:assert/strict';
import { it } from 'node:test';
import { environmentProxyFor } from '#http/environment-proxy.ts';

const proxy = new URL('http://proxy.example:3128');

function isDirect(url: string, noProxy: string): boolean {
  return environmentProxyFor(new URL(url), { http: proxy, https: proxy, noProxy }) === undefined;
}

it('chooses by scheme', () => {
  assert.equal(environmentProxyFor(new URL('https://r.example'), { http: proxy }), undefined);
  assert.equal(environmentProxyFor(new URL('http://r.example'), { http: proxy }), proxy);
  assert.equal(environmentProxyFor(new URL('https://r.example'), { https: proxy }), proxy);
});

it('never proxies loopback', () => {
  for (const url of ['http://localhost:5000', 'http://127.0.0.1', 'https://[::1]:5000']) assert.ok(isDirect(url, ''));
});

it('reads every form of NO_PROXY', () => {
  for (const entry of [
    'example.com',
    '.example.com',
    '*.example.com',
    'other,  r.EXAMPLE.com',
    '*',
    'r.example.com:443',
  ]) {
    assert.ok(isDirect('https://r.example.com', entry), entry);
  }
  for (const entry of ['', 'ample.com', 'r.example.com:5000', 'x.r.example.com', ',,']) {
    assert.ok(!isDirect('https://r.example.com', entry), entry);
  }
});

it('exempts addresses and networks', () => {
  assert.ok(isDirect('http://10.1.2.3:5000', '10.0.0.0/8'));
  assert.ok(isDirect('http://[fd12::1]', 'fd00::/8'));
  assert.ok(isDirect('http://10.1.2.3', '10.1.2.3'));
  assert.ok(!isDirect('http://11.1.2.3', '10.0.0.0/8'));
  for (const broken of ['10.0.0.0/', '10.0.0.0/99', 'x/8', '10.0.0.0/8/8x'])
    assert.ok(!isDirect('http://11.1.2.3', broken));
});
