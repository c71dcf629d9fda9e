import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { derReader, TAG } from '#crypto/der.ts';
import { makeCrl } from '../../support/crl.ts';
import type { ServedAnswer } from '../../support/http-server.ts';
import { ocspDelegate, ocspRefusal, requestedNonce, respondersAt } from '../../support/ocsp.ts';
import { type Answered, NOW, type OcspGround, openOcspGround, SERIAL, SINCE } from '../../support/ocsp-ground.ts';
import { extension, makePki } from '../../support/pki.ts';
import { assertDefect, assertUnknown } from '../../support/revocation-findings.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { signedEvidence } from '../../support/signed-evidence.ts';
import { makeClock, stampedEvidence } from '../../support/stamped-evidence.ts';

const HOUR_MS = 3_600_000;
const REVOKED: Answered = { single: { status: { since: SINCE, reason: 1 } } };

describe('asking the responder of a CA', () => {
  let ground: OcspGround;
  let scratch: Scratch;

  before(async () => {
    [ground, scratch] = await Promise.all([openOcspGround(), makeScratch()]);
  });
  beforeEach(() => {
    ground.clock.now = NOW;
    ground.answer({});
  });
  after(() => Promise.all([ground[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]));

  const asked = () => ground.server.requests.length;

  it('is off unless it is wanted', async () => {
    const before = asked();
    const opened = await ground.open({ ocsp: undefined });
    assert.equal(await ground.judgeFetched(opened), 'held');
    assert.equal(asked(), before);
  });

  it('asks the one that the certificate names, with a nonce of its own for each question', async () => {
    const before = asked();
    for (const answer of [{}, {}, REVOKED]) {
      ground.answer(answer);
      const found = await ground.judgeFetched(await ground.open());
      if (answer === REVOKED)
        assertDefect(found, 'certificate-revoked', /2026-05-01.*keyCompromise.*the responder http/);
      else assert.equal(found, 'held');
    }
    const questions = ground.server.requests.slice(before);
    assert.deepEqual(new Set(questions.map(({ method, path }) => `${method} ${path}`)), new Set(['POST /ask']));
    const nonces = questions.map(({ body }) => requestedNonce(body)?.toString('hex'));
    assert.equal(new Set(nonces).size, 3);
    assert.ok(nonces.every((nonce) => nonce?.length === 64));
  });

  it('asks the one that is configured, in place of all others', async () => {
    const before = asked();
    const responder = `${ground.server.url}/own?key=T0PS3CRET`;
    const opened = await ground.open({ hosts: [], ocsp: { responder, nonce: true } });
    assert.equal(await ground.judgeFetched(opened), 'held');
    const plain = makePki();
    assertUnknown(await ground.judgeFetched(opened, { of: plain }), /the responder http:\/\/127\S*\/own: /);
    ground.answer(REVOKED);
    const found = await ground.judgeFetched(await ground.open({ hosts: [], ocsp: { responder, nonce: true } }));
    assertDefect(found, 'certificate-revoked', /own$/);
    assert.doesNotMatch(JSON.stringify(found), /T0PS3CRET/);
    assert.ok(ground.server.requests.slice(before).every(({ path }) => path === '/own?key=T0PS3CRET'));
  });

  it('asks by GET without a nonce, where caches may answer', async () => {
    const before = asked();
    ground.answer({ nonce: undefined });
    const responder = `${ground.server.url}/ask/`;
    assert.equal(await ground.judgeFetched(await ground.open({ ocsp: { responder, nonce: false } })), 'held');
    const long = `${ground.server.url}/${'a'.repeat(200)}`;
    assert.equal(
      await ground.judgeFetched(await ground.open({ hosts: [], ocsp: { responder: long, nonce: false } })),
      'held',
    );
    const [get, post] = ground.server.requests.slice(before);
    assert.equal(get?.method, 'GET');
    const question = Buffer.from(decodeURIComponent(get?.path.slice('/ask/'.length) ?? ''), 'base64');
    const list = derReader(question, 'question').enter(TAG.sequence).enter(TAG.sequence);
    list.element(TAG.sequence);
    list.end();
    assert.equal(post?.method, 'POST');
    assert.equal(requestedNonce(post?.body ?? Buffer.alloc(0)), undefined);
  });

  it('is neither a pass nor a fail where nothing can be known', async () => {
    const old = { thisUpdate: new Date(NOW.getTime() - 2 * HOUR_MS), nextUpdate: new Date(NOW.getTime() - HOUR_MS) };
    const bent = ocspDelegate(ground.pki.intermediate, { extendedKeyUsage: null });
    const cases: readonly (readonly [string, Answered | ServedAnswer, RegExp])[] = [
      ['unknown', { single: { status: 'unknown' } }, /does not know the certificate/],
      ['unauthorized', { status: 200, body: ocspRefusal(6) }, /did not answer: unauthorized/],
      ['try later', { status: 200, body: ocspRefusal(3) }, /did not answer: tryLater/],
      ['an error', { status: 500 }, /answered 500/],
      ['a redirect', { status: 302, headers: { location: 'http://169.254.169.254/' } }, /answered 302/],
      ['a page', { status: 200, body: '<html>' }, /cannot be read/],
      ['nothing', { status: 200 }, /cannot be read/],
      ['no end', { status: 200, body: Buffer.alloc(70_000) }, /larger than 65536/],
      ['good, an hour ago', { single: old }, /held until/],
      ['revoked, an hour ago', { single: { ...old, status: { since: SINCE } } }, /held until/],
      ['another nonce', { nonce: Buffer.alloc(32) }, /of another question/],
      ['no nonce', { nonce: undefined }, /does not repeat the nonce/],
      ['another certificate', { single: { serial: Buffer.from([0x45]) } }, /about other certificates/],
      ['a stranger', { signer: makePki().root }, /signed neither by the CA/],
      ['a signer of images', { signer: bent, certificates: [bent] }, /not for OCSP/],
    ];
    for (const [what, answer, wanted] of cases) {
      ground.answer(answer);
      const found = await ground.judgeFetched(await ground.open());
      assertUnknown(found, wanted);
      assert.match((found as Error & { mend: string }).mend, /nonce: false/, what);
    }
  });

  it('never calls bad evidence unknown, and asks nobody about it', async () => {
    const before = asked();
    const opened = await ground.open();
    const raw = signedEvidence(ground.pki, { digest: `sha256:${'0'.repeat(64)}` });
    assertDefect(await ground.judgeFetched(opened, { raw }), 'subject-mismatch');
    const stranger = makePki({ leaf: { extensions: [respondersAt(`${ground.server.url}/evil`)] } });
    assertDefect(await ground.judgeFetched(opened, { raw: signedEvidence(stranger) }), 'chain-untrusted');
    assert.equal(asked(), before);
  });

  it('asks no host that is not allowed', async () => {
    const before = asked();
    const found = await ground.judgeFetched(await ground.open({ hosts: ['elsewhere.test'] }));
    assertUnknown(found, /127\.0\.0\.1:\d+ is not among the hosts that may be asked.*add 127\.0\.0\.1/);
    assert.equal(asked(), before);
    const withUser = makePki({ leaf: { extensions: [respondersAt('http://me:T0PS3CRET@127.0.0.1/')] } });
    const refused = await ground.judgeFetched(await ground.open(), { of: withUser });
    assertUnknown(refused, /user information is refused/);
    assert.doesNotMatch(`${refused} ${JSON.stringify(refused)}`, /T0PS3CRET/);
  });

  it('keeps an answer until its next update, and for an hour at most', async () => {
    const opened = await ground.open();
    const before = asked();
    await Promise.all(Array.from({ length: 8 }, () => ground.judgeFetched(opened)));
    assert.equal(await ground.judgeFetched(opened), 'held');
    assert.equal(asked() - before, 1);
    ground.answer(REVOKED);
    ground.clock.now = new Date(NOW.getTime() + HOUR_MS - 1);
    assert.equal(await ground.judgeFetched(opened), 'held');
    ground.clock.now = new Date(NOW.getTime() + HOUR_MS);
    assertDefect(await ground.judgeFetched(opened), 'certificate-revoked');
    assert.equal(asked() - before, 2);
    ground.answer({ single: { nextUpdate: new Date(NOW.getTime() + HOUR_MS + 120_000) } });
    opened.renew(new Date(NOW.getTime() + HOUR_MS + 1));
    ground.clock.now = new Date(NOW.getTime() + HOUR_MS + 1);
    assert.equal(await ground.judgeFetched(opened), 'held', 'what was answered before the news is asked again');
    ground.answer(REVOKED);
    ground.clock.now = new Date(NOW.getTime() + HOUR_MS + 130_000);
    assertDefect(await ground.judgeFetched(opened), 'certificate-revoked');
  });

  it('leaves a responder that failed alone for a minute, and goes on with an answer that holds', async () => {
    const opened = await ground.open();
    assert.equal(await ground.judgeFetched(opened), 'held');
    ground.answer({ status: 503 });
    ground.clock.now = new Date(NOW.getTime() + 2 * HOUR_MS);
    assert.equal(await ground.judgeFetched(opened), 'held');
    ground.clock.now = new Date(NOW.getTime() + 4 * HOUR_MS);
    assertUnknown(await ground.judgeFetched(opened), /answered 503/);
    const before = asked();
    assertUnknown(await ground.judgeFetched(opened), /answered 503/);
    assert.equal(asked(), before);
    ground.answer({});
    ground.clock.now = new Date(NOW.getTime() + 4 * HOUR_MS + 60_000);
    assert.equal(await ground.judgeFetched(opened), 'held');
    ground.answer({ single: { status: 'unknown' } });
    ground.clock.now = new Date(NOW.getTime() + 5 * HOUR_MS + 60_000);
    assertUnknown(await ground.judgeFetched(opened), /does not know/);
  });

  it('wants lists that are configured to be content as well', async () => {
    const { intermediate } = ground.pki;
    const good = `file:${await scratch.write('good.crl', makeCrl(intermediate))}`;
    const bad = `file:${await scratch.write('bad.crl', makeCrl(intermediate, { revoked: [{ serial: SERIAL, since: SINCE }] }))}`;
    const foreign = `file:${await scratch.write('foreign.crl', makeCrl(ground.pki.root))}`;
    assert.equal(await ground.judgeFetched(await ground.open({ lists: [good] })), 'held');
    assertDefect(
      await ground.judgeFetched(await ground.open({ lists: [bad] })),
      'certificate-revoked',
      /by the list file/,
    );
    assertUnknown(await ground.judgeFetched(await ground.open({ lists: [foreign] })), /it is by "CN=Test Root"/);
    ground.answer({ single: { status: 'unknown' } });
    assertUnknown(await ground.judgeFetched(await ground.open({ lists: [good] })), /does not know/);
    assertDefect(await ground.judgeFetched(await ground.open({ lists: [bad] })), 'certificate-revoked');
    ground.answer(REVOKED);
    assertDefect(
      await ground.judgeFetched(await ground.open({ lists: [good] })),
      'certificate-revoked',
      /the responder/,
    );
  });

  it('looks a certificate up in lists that names no responder', async () => {
    const plain = makePki();
    const before = asked();
    assert.equal(await ground.judgeFetched(await ground.open(), { of: plain }), 'held');
    const strict = await ground.judgeFetched(await ground.open({ whenUnlisted: 'error' }), { of: plain });
    assertUnknown(strict, /neither list nor responder/);
    const broken = makePki({ leaf: { extensions: [extension('1.3.6.1.5.5.7.1.1', Buffer.from('0403', 'hex'))] } });
    assertUnknown(await ground.judgeFetched(await ground.open(), { of: broken }), /responders cannot be read/);
    assert.equal(asked(), before);
  });

  it('asks for the leaf alone, or for every certificate below the root', async () => {
    const serial = Buffer.from([0x55]);
    const chained = makePki({ intermediates: [{ serial, extensions: [respondersAt(`${ground.server.url}/root`)] }] });
    ground.answer({ signer: chained.root, single: { issuer: chained.root, serial, status: { since: SINCE } } });
    assert.equal(await ground.judgeFetched(await ground.open(), { of: chained }), 'held');
    const whole = await ground.judgeFetched(await ground.open({ check: 'chain' }), { of: chained });
    assertDefect(whole, 'certificate-revoked', /certificate 1 of the path/);
  });

  it('treats what was signed before the revocation as lists do', async () => {
    const clock = makeClock();
    const timestampAuthorities = [clock.trust];
    const stamped = stampedEvidence(ground.pki, clock, new Date('2026-04-01T00:00:00Z'));
    const late = stampedEvidence(ground.pki, clock, new Date('2026-05-02T00:00:00Z'));
    for (const [reason, timestamped, raw, wanted] of [
      [4, 'refuse', stamped, 'certificate-revoked'],
      [4, 'accept', stamped, 'held'],
      [4, 'accept', late, 'certificate-revoked'],
      [4, 'accept', signedEvidence(ground.pki), 'certificate-revoked'],
      [1, 'accept', stamped, 'certificate-revoked'],
      [undefined, 'accept', stamped, 'certificate-revoked'],
    ] as const) {
      ground.answer({ single: { status: { since: SINCE, ...(reason === undefined ? {} : { reason }) } } });
      const found = await ground.judgeFetched(await ground.open({ timestamped }), { raw, timestampAuthorities });
      if (wanted === 'held') assert.equal(found, 'held', `${reason} ${timestamped}`);
      else assertDefect(found, wanted);
    }
  });
});
