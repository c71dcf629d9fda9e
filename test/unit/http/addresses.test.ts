import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classifyAddress, isLoopbackHost, isPrivateLiteral, refusedHost } from '#http/addresses.ts';

describe('addresses', () => {
  const classes = {
    loopback: [
      '127.0.0.1',
      '127.8.9.1',
      '::1',
      '0.0.0.0',
      '::',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '64:ff9b::7f00:1',
    ],
    'link-local': [
      '169.254.169.254',
      '::ffff:a9fe:a9fe',
      'fe80::1%eth0',
      'fd00:ec2::254',
      '100.100.100.200',
      '168.63.129.16',
      '64:ff9b::a9fe:a9fe',
    ],
    private: ['10.1.2.3', '172.31.255.255', '192.168.0.1', '100.64.0.1', 'fd12:3456::1'],
    public: ['8.8.8.8', '172.32.0.1', '2001:db8::1', '1.1.1.1'],
  } as const;
  for (const [name, addresses] of Object.entries(classes)) {
    it(`knows ${name}`, () => {
      for (const address of addresses) assert.equal(classifyAddress(address), name, address);
    });
  }

  it('takes names and literals of this machine for loopback, as URLs write them', () => {
    for (const url of ['http://localhost:5000', 'http://reg.localhost', 'http://[::1]:5000', 'http://0x7f.1/']) {
      assert.equal(isLoopbackHost(new URL(url).hostname), true, url);
    }
    for (const host of ['localhost.example.com', 'mylocalhost', '10.0.0.1']) assert.equal(isLoopbackHost(host), false);
  });

  it('knows literals of RFC 1918, and no names', () => {
    assert.equal(isPrivateLiteral('192.168.1.1'), true);
    assert.equal(isPrivateLiteral('100.64.0.1'), false);
    assert.equal(isPrivateLiteral('registry.internal'), false);
  });

  it('refuses hosts that lead to metadata, whatever is said of loopback', () => {
    for (const host of [
      '169.254.169.254',
      '[fd00:ec2::254]',
      'metadata.google.internal',
      'METADATA.google.internal.',
    ]) {
      assert.ok(refusedHost(host, true), host);
    }
    assert.equal(refusedHost('localhost', true), undefined);
    assert.match(refusedHost('localhost', false) ?? '', /loopback/);
    assert.equal(refusedHost('10.0.0.1', false), undefined);
    assert.equal(refusedHost('storage.example.com', false), undefined);
  });
});
