import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { AppError } from '#model/errors.ts';
import { crlPem, distributionPointsAt, makeCrl } from '../../support/crl.ts';
import { extension, makePki } from '../../support/pki.ts';
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

describe('where lists of revoked certificates come from', () => {
  let ground: RevocationGround;

  before(async () => {
    ground = await openRevocationGround();
  });
  beforeEach(() => {
    ground.clock.now = NOW;
  });
  after(() => ground[Symbol.asyncDispose]());

  it('is read from a file, a variable or an address that take the place of the certificate’s', async () => {
    await ground.scratch.write('good.crl', makeCrl(ground.pki.intermediate));
    await ground.scratch.write('both.pem', crlPem(ground.pki.root) + crlPem(ground.pki.intermediate));
    const before = ground.server.received.length;
    for (const [source, wanted] of [
      ['file:good.crl', 'held'],
      ['file:both.pem', 'held'],
      ['env:LIST', 'certificate-revoked'],
    ] as const) {
      const lists = await ground.open([source], []);
      const found = ground.judge(ground.attestor(lists, { lists: [source] }));
      if (wanted === 'held') assert.equal(found, 'held');
      else assertDefect(found, wanted);
    }
    assert.equal(ground.server.received.length, before);
    ground.serve({ revoked: [{ serial: SERIAL, since: SINCE }] });
    const address = `${ground.server.url}/configured.crl?key=T0PS3CRET`;
    const lists = await ground.open([address], []);
    const found = await ground.judgeFetched(lists, ground.attestor(lists, { lists: [address] }));
    assertDefect(found, 'certificate-revoked', /configured\.crl$/);
    assert.doesNotMatch(JSON.stringify(found), /T0PS3CRET/);
  });

  it('refuses at the start a configured list that is not there or none', async () => {
    await ground.scratch.write('broken.crl', 'no list');
    for (const [source, wanted] of [
      ['file:absent.crl', /cannot be read/],
      ['file:broken.crl', /neither DER nor a PEM block/],
      ['env:ABSENT', /is not set/],
    ] as const) {
      await assert.rejects(ground.open([source]), (error) => {
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
    const lists = await ground.open();
    assert.equal(ground.judge(ground.attestor(lists, {}, plain), signedEvidence(plain)), 'held');
    const strict = ground.judge(ground.attestor(lists, { whenUnlisted: 'error' }, plain), signedEvidence(plain));
    assertUnknown(strict, /names neither list nor responder of its CA/);
    const ldap = makePki({ leaf: { extensions: [distributionPointsAt('ldap://directory.test/cn=list')] } });
    assertUnknown(
      ground.judge(ground.attestor(lists, {}, ldap), signedEvidence(ldap)),
      /none of its distribution points/,
    );
    const broken = makePki({ leaf: { extensions: [extension('2.5.29.31', Buffer.from('0403', 'hex'))] } });
    assertUnknown(ground.judge(ground.attestor(lists, {}, broken), signedEvidence(broken)), /cannot be read/);
  });
});
