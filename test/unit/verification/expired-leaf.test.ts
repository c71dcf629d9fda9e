import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawEvidence } from '#model/evidence.ts';
import type { Attestor } from '#verification/attestor.ts';
import { chainAttestor } from '#verification/attestor-from-pem.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { type CertificateSpec, makePki, nameConstraints } from '../../support/pki.ts';
import { SUBJECT, signedEvidence } from '../../support/signed-evidence.ts';
import { makeClock, stampedEvidence } from '../../support/stamped-evidence.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const ENDED = new Date('2026-05-15T00:00:00Z');
const IN_TIME = new Date('2026-05-14T00:00:00Z');
const TOO_LATE = new Date('2026-05-16T00:00:00Z');
const clock = makeClock();

function outcome(raw: RawEvidence, attestor: Attestor): string {
  const { held } = verifyEvidence(raw, { digest: SUBJECT, attestor, now: NOW });
  return held === true ? 'held' : held.code;
}

for (const keyKind of ['p256', 'p384', 'p521', 'rsa2048', 'rsa3072'] as const) {
  test(`${keyKind}: evidence under a leaf that has ended holds when it was timestamped in time, and not otherwise`, () => {
    const pki = makePki({ leaf: { keyKind, notAfter: ENDED } });
    const now = chainAttestor({ chain: pki.chainPem });
    const witnessed = { ...now, timestampAuthorities: [clock.trust] };
    assert.equal(outcome(signedEvidence(pki), witnessed), 'certificate-expired');
    assert.equal(outcome(stampedEvidence(pki, clock, IN_TIME), witnessed), 'held');
    assert.equal(outcome(stampedEvidence(pki, clock, TOO_LATE), witnessed), 'certificate-expired');
    assert.equal(outcome(stampedEvidence(pki, makeClock(), IN_TIME), witnessed), 'timestamp-invalid');
    assert.equal(outcome(stampedEvidence(pki, clock, IN_TIME), now), 'certificate-expired', 'nobody trusts the clock');
  });

  test(`${keyKind}: evidence of today holds by the present time`, () => {
    const pki = makePki({ leaf: { keyKind } });
    assert.equal(outcome(signedEvidence(pki), chainAttestor({ chain: pki.chainPem })), 'held');
  });
}

test('a whole CA that has ended bears what was timestamped in its time', () => {
  const ended: CertificateSpec = { notAfter: ENDED };
  const pki = makePki({ root: ended, intermediates: [ended], leaf: ended });
  const witnessed = { ...chainAttestor({ chain: pki.chainPem }), timestampAuthorities: [clock.trust] };
  assert.equal(outcome(stampedEvidence(pki, clock, IN_TIME), witnessed), 'held');
  assert.equal(outcome(signedEvidence(pki), witnessed), 'certificate-expired');
});

test('a timestamp does not lift the limits that a CA sets to names', () => {
  const elsewhere = nameConstraints({ permitted: [{ type: 'uri', value: 'elsewhere.test' }] });
  for (const [limits, wanted] of [
    [elsewhere, 'certificate-profile'],
    [nameConstraints({ permitted: [{ type: 'uri', value: 'attestry.test' }] }), 'held'],
    [nameConstraints({ excluded: [{ type: 'uri', value: 'attestry.test' }] }), 'certificate-profile'],
  ] as const) {
    const pki = makePki({ intermediates: [{ extensions: [limits] }], leaf: { notAfter: ENDED } });
    const witnessed = { ...chainAttestor({ chain: pki.chainPem }), timestampAuthorities: [clock.trust] };
    assert.equal(outcome(stampedEvidence(pki, clock, IN_TIME), witnessed), wanted);
  }
});
