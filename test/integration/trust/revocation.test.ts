import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createOutbound } from '#compose/outbound.ts';
import { openLists } from '#compose/revocation.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceDefect } from '#model/evidence.ts';
import type { RevocationLists } from '#trust/revocation-lists.ts';
import { createRevocationRule, type RevocationSettings } from '#trust/revocation-rule.ts';
import { type Attestor, type CertificateAttestor, exactly } from '#verification/attestor.ts';
import { chainAttestor } from '#verification/attestor-from-pem.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { type CrlSpec, crlPem, distributionPointsAt, makeCrl } from '../../support/crl.ts';
import { type HttpReceiver, startHttpReceiver } from '../../support/http-receiver.ts';
import { extension, makePki, type Pki } from '../../support/pki.ts';
import { assertDefect, assertUnknown } from '../../support/revocation-findings.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { SUBJECT, signedEvidence } from '../../support/signed-evidence.ts';
import { makeClock, stampedEvidence } from '../../support/stamped-evidence.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const HOUR_MS = 3_600_000;
const SERIAL = Buffer.from([0x44]);
const SINCE = new Date('2026-05-01T00:00:00Z');
const DEFAULTS: RevocationSettings = { check: 'leaf', lists: [], whenUnlisted: 'pass', timestamped: 'refuse' };

describe('revocation of certificates', () => {
  let server: HttpReceiver;
  let scratch: Scratch;
  let outbound: ReturnType<typeof createOutbound>;
  let pki: Pki;
  let now: Date;

  before(async () => {
    [server, scratch] = await Promise.all([startHttpReceiver(), makeScratch()]);
    const point = distributionPointsAt(`${server.url}/intermediate.crl`);
    pki = makePki({ leaf: { serial: SERIAL, extensions: [point] } });
  });
  beforeEach(() => {
    now = NOW;
    outbound = createOutbound({ env: {}, readFile: (path) => readFile(scratch.at(path)) });
  });
  after(async () => {
    await Promise.all([server[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
  });

  function serve(spec: CrlSpec = {}): void {
    const bytes = crlPem(pki.intermediate, spec);
    server.answer({ status: 200, body: bytes });
  }

  async function open(
    lists: readonly string[] = [],
    hosts: readonly string[] = [server.host],
  ): Promise<RevocationLists> {
    const env = { LIST: crlPem(pki.intermediate, { revoked: [{ serial: SERIAL, since: SINCE }] }) };
    const parts = { outbound, env, readFile: (path: string) => readFile(scratch.at(path)), now: () => now };
    return await openLists({ lists: [...lists], hosts: [...hosts] }, parts, (at) => `trusts.x.revocation.lists[${at}]`);
  }

  function attestor(lists: RevocationLists, more: Partial<RevocationSettings> = {}, of = pki): CertificateAttestor {
    const rule = createRevocationRule({ ...DEFAULTS, ...more }, lists);
    const chain = chainAttestor({ chain: of.chainPem });
    assert.ok(chain.kind === 'certificate-chain');
    return { ...chain, revocation: rule };
  }

  function judge(by: Attestor, raw = signedEvidence(pki)): 'held' | EvidenceDefect | AppError {
    try {
      const { held } = verifyEvidence(raw, { digest: SUBJECT, attestor: by, now });
      return held === true ? 'held' : held;
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  }

  /** As the engine does it. */
  async function judgeFetched(lists: RevocationLists, by: Attestor, raw = signedEvidence(pki)) {
    const first = judge(by, raw);
    if (!(first instanceof AppError) || !(await lists.fetchWanted())) return first;
    return judge(by, raw);
  }

  it('is asked of the list that the certificate names', async () => {
    serve();
    const lists = await open();
    const by = attestor(lists);
    assertUnknown(judge(by), /was not fetched yet/);
    assert.equal(await lists.fetchWanted(), true);
    assert.equal(judge(by), 'held');
    serve({ revoked: [{ serial: SERIAL, since: SINCE, reason: 1 }] });
    assert.equal(judge(by), 'held', 'the list at hand is good until it is read again');
    now = new Date(NOW.getTime() + HOUR_MS);
    const revoked = await judgeFetched(lists, by);
    assertDefect(revoked, 'certificate-revoked', /revoked since 2026-05-01.*keyCompromise.*intermediate\.crl/);
  });

  it('fetches a list once for all that ask for it', async () => {
    serve();
    const lists = await open();
    const before = server.received.length;
    await Promise.all(Array.from({ length: 8 }, () => judgeFetched(lists, attestor(lists))));
    assert.equal(server.received.length - before, 1);
    assert.equal(await judgeFetched(lists, attestor(lists)), 'held');
    assert.equal(server.received.length - before, 1);
  });

  it('asks no server that evidence without a trusted path names', async () => {
    const stranger = makePki({ leaf: { extensions: [distributionPointsAt(`${server.url}/evil.crl`)] } });
    const lists = await open();
    const before = server.received.length;
    assertDefect(await judgeFetched(lists, attestor(lists), signedEvidence(stranger)), 'chain-untrusted');
    const other = { ...attestor(lists), identity: { subject: exactly('https://somebody.test/else') } };
    assertDefect(await judgeFetched(lists, other), 'identity-mismatch');
    assert.equal(await lists.fetchWanted(), false);
    assert.equal(server.received.length, before);
  });

  it('asks no host that is not allowed, and no redirect leads elsewhere', async () => {
    const before = server.received.length;
    const none = await open([], []);
    assertUnknown(
      await judgeFetched(none, attestor(none)),
      /127\.0\.0\.1:\d+ is not among the hosts.*add 127\.0\.0\.1/,
    );
    assert.equal(server.received.length, before);
    server.answer({ status: 302, headers: { location: 'http://elsewhere.test/list.crl' } });
    const lists = await open();
    assertUnknown(await judgeFetched(lists, attestor(lists)), /answered 302/);
  });

  it('is unknown, neither good nor bad, when the list cannot be had', async () => {
    const cases: readonly (readonly [Parameters<HttpReceiver['answer']>[0], RegExp])[] = [
      ['drop', /connection/],
      [{ status: 404 }, /answered 404/],
      [{ status: 200, body: 'no list' }, /neither DER nor a PEM block/],
      [{ status: 200, headers: { 'content-length': '99999999' } }, /larger than/],
      [{ status: 200, body: crlPem(pki.root) }, /it is by "CN=Test Root"/],
      [{ status: 200, body: crlPem(pki.intermediate, { nextUpdate: new Date('2026-01-01') }) }, /next one was due/],
    ];
    for (const [answer, wanted] of cases) {
      server.answer(answer);
      const lists = await open();
      assertUnknown(await judgeFetched(lists, attestor(lists)), wanted);
    }
  });

  it('leaves a server that failed alone for a minute', async () => {
    server.answer({ status: 500 });
    const lists = await open();
    const by = attestor(lists);
    await judgeFetched(lists, by);
    const before = server.received.length;
    assertUnknown(await judgeFetched(lists, by), /answered 500/);
    assert.equal(server.received.length, before);
    serve();
    now = new Date(NOW.getTime() + 60_000);
    assert.equal(await judgeFetched(lists, by), 'held');
  });

  it('goes on with the list at hand while it holds, when its server is away', async () => {
    serve({ nextUpdate: new Date(NOW.getTime() + 3 * HOUR_MS) });
    const lists = await open();
    const by = attestor(lists);
    assert.equal(await judgeFetched(lists, by), 'held');
    server.answer('drop');
    now = new Date(NOW.getTime() + 2 * HOUR_MS);
    assert.equal(await judgeFetched(lists, by), 'held');
    now = new Date(NOW.getTime() + 4 * HOUR_MS);
    assertUnknown(await judgeFetched(lists, by), /connection/);
  });

  it('never calls bad evidence unknown', async () => {
    server.answer('drop');
    const lists = await open();
    const raw = signedEvidence(pki, { digest: `sha256:${'0'.repeat(64)}` });
    assertDefect(await judgeFetched(lists, attestor(lists), raw), 'subject-mismatch');
  });

  it('is read from a file, a variable or an address that take the place of the certificate’s', async () => {
    await scratch.write('good.crl', makeCrl(pki.intermediate));
    await scratch.write('both.pem', crlPem(pki.root) + crlPem(pki.intermediate));
    const before = server.received.length;
    for (const [source, wanted] of [
      ['file:good.crl', 'held'],
      ['file:both.pem', 'held'],
      ['env:LIST', 'certificate-revoked'],
    ] as const) {
      const lists = await open([source], []);
      const found = judge(attestor(lists, { lists: [source] }));
      if (wanted === 'held') assert.equal(found, 'held');
      else assertDefect(found, wanted);
    }
    assert.equal(server.received.length, before);
    serve({ revoked: [{ serial: SERIAL, since: SINCE }] });
    const address = `${server.url}/configured.crl?key=T0PS3CRET`;
    const lists = await open([address], []);
    const found = await judgeFetched(lists, attestor(lists, { lists: [address] }));
    assertDefect(found, 'certificate-revoked', /configured\.crl$/);
    assert.doesNotMatch((found as EvidenceDefect).message, /T0PS3CRET/);
  });

  it('refuses at the start a configured list that is not there or none', async () => {
    await scratch.write('broken.crl', 'no list');
    for (const [source, wanted] of [
      ['file:absent.crl', /cannot be read/],
      ['file:broken.crl', /neither DER nor a PEM block/],
      ['env:ABSENT', /is not set/],
    ] as const) {
      await assert.rejects(open([source]), (error) => {
        assert.ok(error instanceof AppError);
        assert.equal(error.code, 'config-invalid');
        assert.equal(error.field, 'trusts.x.revocation.lists[0]');
        assert.match(error.message, wanted);
        return true;
      });
    }
  });

  it('passes a certificate that names no list, unless a list is demanded', async () => {
    const plain = makePki();
    const lists = await open();
    assert.equal(judge(attestor(lists, {}, plain), signedEvidence(plain)), 'held');
    const strict = judge(attestor(lists, { whenUnlisted: 'error' }, plain), signedEvidence(plain));
    assertUnknown(strict, /names no list of its CA/);
    const ldap = makePki({ leaf: { extensions: [distributionPointsAt('ldap://directory.test/cn=list')] } });
    assertUnknown(judge(attestor(lists, {}, ldap), signedEvidence(ldap)), /none of its distribution points/);
    const broken = makePki({ leaf: { extensions: [extension('2.5.29.31', Buffer.from('0403', 'hex'))] } });
    assertUnknown(judge(attestor(lists, {}, broken), signedEvidence(broken)), /cannot be read/);
  });

  it('asks for the leaf alone, or for every certificate below the root', async () => {
    const serial = Buffer.from([0x55]);
    const chained = makePki({
      intermediates: [{ serial, extensions: [distributionPointsAt(`${server.url}/root.crl`)] }],
    });
    server.answer({ status: 200, body: crlPem(chained.root, { revoked: [{ serial, since: SINCE, reason: 2 }] }) });
    const raw = signedEvidence(chained);
    const lists = await open();
    assert.equal(await judgeFetched(lists, attestor(lists, {}, chained), raw), 'held');
    const whole = await judgeFetched(lists, attestor(lists, { check: 'chain' }, chained), raw);
    assertDefect(whole, 'certificate-revoked', /certificate 1 of the path.*cACompromise/);
  });

  it('refuses what was signed before the revocation, unless it is told to accept that and the key was safe', async () => {
    const clock = makeClock();
    const stamped = stampedEvidence(pki, clock, new Date('2026-04-01T00:00:00Z'));
    const late = stampedEvidence(pki, clock, new Date('2026-05-02T00:00:00Z'));
    for (const [reason, timestamped, raw, wanted] of [
      [4, 'refuse', stamped, 'certificate-revoked'],
      [4, 'accept', stamped, 'held'],
      [4, 'accept', late, 'certificate-revoked'],
      [4, 'accept', signedEvidence(pki), 'certificate-revoked'],
      [1, 'accept', stamped, 'certificate-revoked'],
      [2, 'accept', stamped, 'certificate-revoked'],
      [undefined, 'accept', stamped, 'certificate-revoked'],
    ] as const) {
      serve({ revoked: [{ serial: SERIAL, since: SINCE, ...(reason === undefined ? {} : { reason }) }] });
      const lists = await open();
      const by = { ...attestor(lists, { timestamped }), timestampAuthorities: [clock.trust] };
      const found = await judgeFetched(lists, by, raw);
      if (wanted === 'held') assert.equal(found, 'held', `${reason} ${timestamped}`);
      else assertDefect(found, wanted);
    }
  });
});
