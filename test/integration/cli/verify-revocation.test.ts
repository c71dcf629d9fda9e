import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { attest, gist, verify } from '../../support/attested.ts';
import { runCli } from '../../support/cli.ts';
import { crlPem, distributionPointsAt, makeCrl } from '../../support/crl.ts';
import { type HttpReceiver, startHttpReceiver } from '../../support/http-receiver.ts';
import { ocspDelegate, respondersAt } from '../../support/ocsp.ts';
import { startOpensslResponder } from '../../support/openssl-responder.ts';
import { makePki, type Pki } from '../../support/pki.ts';
import { type PushedImage, pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

const SERIAL = Buffer.from([0x42]);

let registry: TestRegistry;
let server: HttpReceiver;
let scratch: Scratch;
let image: PushedImage;
let pki: Pki;
let trust: readonly string[];

before(async () => {
  [registry, server, scratch] = await Promise.all([startRegistry(), startHttpReceiver(), makeScratch()]);
  image = await pushTestImage(registry.host);
  pki = makePki({
    leaf: {
      serial: SERIAL,
      extensions: [distributionPointsAt(`${server.url}/ca.crl`), respondersAt(`${server.url}/ocsp`)],
    },
  });
  const key = await scratch.write('key.pem', pki.leaf.keyPem);
  const certificate = await scratch.write('leaf.pem', pki.leaf.pem);
  const chain = await scratch.write('chain.pem', pki.chainPem);
  trust = ['--type', 'cyclonedx', '--certificate-chain', chain];
  await attest([image.reference, '--key', key, '--certificate', certificate, '--certificate-chain', chain]);
});

after(async () => {
  await Promise.all([registry.stop(), server[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

function revoked(reason?: number) {
  return { revoked: [{ serial: SERIAL, since: new Date('2024-01-01'), ...(reason === undefined ? {} : { reason }) }] };
}

describe('verify asks whether certificates were revoked', () => {
  it('of a file, without a socket', async () => {
    const good = await scratch.write('good.crl', makeCrl(pki.intermediate));
    const bad = await scratch.write('bad.pem', crlPem(pki.intermediate, revoked(1)));
    const before = server.received.length;
    const held = await verify([image.reference, ...trust, '--crl', good]);
    assert.deepEqual([held.code, ...gist(held)], [0, 'pass: verified']);
    const lost = await verify([image.reference, ...trust, '--crl', bad]);
    assert.equal(lost.code, 1);
    assert.match(gist(lost).join(), /certificate-revoked/);
    assert.equal(server.received.length, before);
  });

  it('of the list that the certificate names, from an allowed host alone', async () => {
    server.answer({ status: 200, body: crlPem(pki.intermediate) });
    const flags = [...trust, '--revocation', 'leaf'];
    const before = server.received.length;
    const closed = await verify([image.reference, ...flags]);
    assert.equal(closed.code, 2, 'could not check');
    assert.match(gist(closed).join(), /^error: .*revocation-unknown/);
    assert.equal(server.received.length, before);
    const open = await verify([image.reference, ...flags, '--crl-host', server.host]);
    assert.deepEqual([open.code, ...gist(open)], [0, 'pass: verified']);
    server.answer({ status: 200, body: crlPem(pki.intermediate, revoked()) });
    const lost = await verify([image.reference, ...flags, '--crl-host', server.host]);
    assert.equal(lost.code, 1);
    server.answer({ status: 503 });
    assert.equal((await verify([image.reference, ...flags, '--crl-host', server.host])).code, 2);
  });

  it('of the responder that is named, or that the certificate names', async () => {
    const signer = ocspDelegate(pki.intermediate);
    for (const [revoked, exit] of [
      [undefined, 0],
      [{ since: new Date('2024-01-01'), reason: 'keyCompromise' }, 1],
    ] as const) {
      const index = [{ serial: SERIAL, ...(revoked ? { revoked } : {}) }];
      await using responder = await startOpensslResponder({ ca: pki.intermediate, signer, index, nextMinutes: 60 });
      for (const more of [[], ['--ocsp-without-nonce'], ['--ocsp', '--revocation', 'leaf']]) {
        const found = await verify([image.reference, ...trust, '--ocsp-responder', responder.url, ...more]);
        assert.equal(found.code, exit, JSON.stringify(found.verdicts));
      }
    }
    const closed = await verify([image.reference, ...trust, '--ocsp']);
    assert.deepEqual([closed.code, ...gist(closed)], [2, 'error: evidence-missing revocation-unknown']);
    assert.match(
      JSON.stringify(closed.verdicts),
      /the responder http:\/\/127\.0\.0\.1:\d+\/ocsp: .*not among the hosts/,
    );
    server.answer({ status: 200, body: 'no responder' });
    const broken = await verify([image.reference, ...trust, '--ocsp', '--crl-host', server.host]);
    assert.deepEqual([broken.code, ...gist(broken)], [2, 'error: evidence-missing revocation-unknown']);
  });

  it('asks nothing unless it is told to', async () => {
    const before = server.received.length;
    const held = await verify([image.reference, ...trust]);
    assert.deepEqual([held.code, ...gist(held)], [0, 'pass: verified']);
    assert.equal(server.received.length, before);
  });

  it('says what is wrong with its flags', async () => {
    const key = await scratch.write('public.pem', pki.leaf.publicKey.export({ type: 'spki', format: 'pem' }));
    for (const [flags, wanted, exit] of [
      [['--type', 'cyclonedx', '--key', key, '--revocation', 'leaf'], /--revocation does not go with --key/, 64],
      [[...trust, '--revocation', 'all'], /neither leaf nor chain/, 64],
      [[...trust, '--crl-host', 'https://x.test'], /is no host/, 64],
      [[...trust, '--ocsp-without-nonce'], /asks nobody/, 64],
      [[...trust, '--ocsp-responder', 'http://me:T0PS3CRET@x.test'], /no http or https URL without credentials/, 64],
      [[...trust, '--crl', 'https://me:T0PS3CRET@x.test/ca.crl'], /no http or https URL without credentials/, 64],
      [['--type', 'cyclonedx', '--key', key, '--ocsp'], /--ocsp does not go with --key/, 64],
      [['--policy', 'p.yaml', '--ocsp'], /--ocsp does not go with --policy/, 64],
      [['--policy', 'p.yaml', '--crl', 'x'], /--crl does not go with --policy/, 64],
      [[...trust, '--crl', scratch.at('absent.crl')], /--crl: .*cannot be read/, 2],
    ] as const) {
      const { code, stderr } = await runCli(['verify', image.reference, ...flags]);
      assert.match(stderr, wanted);
      assert.doesNotMatch(stderr, /T0PS3CRET/);
      assert.equal(code, exit);
    }
  });
});
