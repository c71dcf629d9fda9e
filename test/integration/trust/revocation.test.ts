import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { exactly } from '#verification/attestor.ts';
import { crlPem, distributionPointsAt } from '../../support/crl.ts';
import type { HttpReceiver } from '../../support/http-receiver.ts';
import { makePki } from '../../support/pki.ts';
import {
  assertDefect,
  assertUnknown,
  NOW,
  openRevocationGround,
  type RevocationGround,
  SERIAL,
  SINCE,
} from '../../support/revocation-ground.ts';
import { signedEvidence } from '../../support/signed-evidence.ts';
import { makeClock, stampedEvidence } from '../../support/stamped-evidence.ts';

const HOUR_MS = 3_600_000;

describe('revocation of certificates', () => {
  let ground: RevocationGround;

  before(async () => {
    ground = await openRevocationGround();
  });
  beforeEach(() => {
    ground.clock.now = NOW;
  });
  after(() => ground[Symbol.asyncDispose]());

  it('is asked of the list that the certificate names', async () => {
    ground.serve();
    const lists = await ground.open();
    const by = ground.attestor(lists);
    assertUnknown(ground.judge(by), /was not fetched yet/);
    assert.equal(await lists.fetchWanted(), true);
    assert.equal(ground.judge(by), 'held');
    ground.serve({ revoked: [{ serial: SERIAL, since: SINCE, reason: 1 }] });
    assert.equal(ground.judge(by), 'held', 'the list at hand is good until it is read again');
    ground.clock.now = new Date(NOW.getTime() + HOUR_MS);
    const revoked = await ground.judgeFetched(lists, by);
    assertDefect(revoked, 'certificate-revoked', /revoked since 2026-05-01.*keyCompromise.*intermediate\.crl/);
  });

  it('fetches a list once for all that ask for it', async () => {
    ground.serve();
    const lists = await ground.open();
    const before = ground.server.received.length;
    await Promise.all(Array.from({ length: 8 }, () => ground.judgeFetched(lists, ground.attestor(lists))));
    assert.equal(ground.server.received.length - before, 1);
    assert.equal(await ground.judgeFetched(lists, ground.attestor(lists)), 'held');
    assert.equal(ground.server.received.length - before, 1);
  });

  it('asks no server that evidence without a trusted path names', async () => {
    const stranger = makePki({ leaf: { extensions: [distributionPointsAt(`${ground.server.url}/evil.crl`)] } });
    const lists = await ground.open();
    const before = ground.server.received.length;
    assertDefect(await ground.judgeFetched(lists, ground.attestor(lists), signedEvidence(stranger)), 'chain-untrusted');
    const other = { ...ground.attestor(lists), identity: { subject: exactly('https://somebody.test/else') } };
    assertDefect(await ground.judgeFetched(lists, other), 'identity-mismatch');
    assert.equal(await lists.fetchWanted(), false);
    assert.equal(ground.server.received.length, before);
  });

  it('asks no host that is not allowed, and no redirect leads elsewhere', async () => {
    const before = ground.server.received.length;
    const none = await ground.open([], []);
    assertUnknown(
      await ground.judgeFetched(none, ground.attestor(none)),
      /127\.0\.0\.1:\d+ is not among the hosts.*add 127\.0\.0\.1/,
    );
    assert.equal(ground.server.received.length, before);
    ground.server.answer({ status: 302, headers: { location: 'http://elsewhere.test/list.crl' } });
    const lists = await ground.open();
    assertUnknown(await ground.judgeFetched(lists, ground.attestor(lists)), /answered 302/);
  });

  it('is unknown, neither good nor bad, when the list cannot be had', async () => {
    const cases: readonly (readonly [Parameters<HttpReceiver['answer']>[0], RegExp])[] = [
      ['drop', /connection/],
      [{ status: 404 }, /answered 404/],
      [{ status: 200, body: 'no list' }, /neither DER nor a PEM block/],
      [{ status: 200, headers: { 'content-length': '99999999' } }, /larger than/],
      [{ status: 200, body: crlPem(ground.pki.root) }, /it is by "CN=Test Root"/],
      [
        { status: 200, body: crlPem(ground.pki.intermediate, { nextUpdate: new Date('2026-01-01') }) },
        /next one was due/,
      ],
    ];
    for (const [answer, wanted] of cases) {
      ground.server.answer(answer);
      const lists = await ground.open();
      assertUnknown(await ground.judgeFetched(lists, ground.attestor(lists)), wanted);
    }
  });

  it('leaves a server that failed alone for a minute', async () => {
    ground.server.answer({ status: 500 });
    const lists = await ground.open();
    const by = ground.attestor(lists);
    await ground.judgeFetched(lists, by);
    const before = ground.server.received.length;
    assertUnknown(await ground.judgeFetched(lists, by), /answered 500/);
    assert.equal(ground.server.received.length, before);
    ground.serve();
    ground.clock.now = new Date(NOW.getTime() + 60_000);
    assert.equal(await ground.judgeFetched(lists, by), 'held');
  });

  it('goes on with the list at hand while it holds, when its server is away', async () => {
    ground.serve({ nextUpdate: new Date(NOW.getTime() + 3 * HOUR_MS) });
    const lists = await ground.open();
    const by = ground.attestor(lists);
    assert.equal(await ground.judgeFetched(lists, by), 'held');
    ground.server.answer('drop');
    ground.clock.now = new Date(NOW.getTime() + 2 * HOUR_MS);
    assert.equal(await ground.judgeFetched(lists, by), 'held');
    ground.clock.now = new Date(NOW.getTime() + 4 * HOUR_MS);
    assertUnknown(await ground.judgeFetched(lists, by), /connection/);
  });

  it('never calls bad evidence unknown', async () => {
    ground.server.answer('drop');
    const lists = await ground.open();
    const raw = signedEvidence(ground.pki, { digest: `sha256:${'0'.repeat(64)}` });
    assertDefect(await ground.judgeFetched(lists, ground.attestor(lists), raw), 'subject-mismatch');
  });

  it('asks for the leaf alone, or for every certificate below the root', async () => {
    const serial = Buffer.from([0x55]);
    const chained = makePki({
      intermediates: [{ serial, extensions: [distributionPointsAt(`${ground.server.url}/root.crl`)] }],
    });
    ground.server.answer({
      status: 200,
      body: crlPem(chained.root, { revoked: [{ serial, since: SINCE, reason: 2 }] }),
    });
    const raw = signedEvidence(chained);
    const lists = await ground.open();
    assert.equal(await ground.judgeFetched(lists, ground.attestor(lists, {}, chained), raw), 'held');
    const whole = await ground.judgeFetched(lists, ground.attestor(lists, { check: 'chain' }, chained), raw);
    assertDefect(whole, 'certificate-revoked', /certificate 1 of the path.*cACompromise/);
  });

  it('refuses what was signed before the revocation, unless it is told to accept that and the key was safe', async () => {
    const clock = makeClock();
    const stamped = stampedEvidence(ground.pki, clock, new Date('2026-04-01T00:00:00Z'));
    const late = stampedEvidence(ground.pki, clock, new Date('2026-05-02T00:00:00Z'));
    for (const [reason, timestamped, raw, wanted] of [
      [4, 'refuse', stamped, 'certificate-revoked'],
      [4, 'accept', stamped, 'held'],
      [4, 'accept', late, 'certificate-revoked'],
      [4, 'accept', signedEvidence(ground.pki), 'certificate-revoked'],
      [1, 'accept', stamped, 'certificate-revoked'],
      [2, 'accept', stamped, 'certificate-revoked'],
      [undefined, 'accept', stamped, 'certificate-revoked'],
    ] as const) {
      ground.serve({ revoked: [{ serial: SERIAL, since: SINCE, ...(reason === undefined ? {} : { reason }) }] });
      const lists = await ground.open();
      const by = { ...ground.attestor(lists, { timestamped }), timestampAuthorities: [clock.trust] };
      const found = await ground.judgeFetched(lists, by, raw);
      if (wanted === 'held') assert.equal(found, 'held', `${reason} ${timestamped}`);
      else assertDefect(found, wanted);
    }
  });
});
