import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertFiring, alertResolved, transitionEvent } from '#events/verdict-events.ts';
import { certificateExpiring } from '#events/watch-events.ts';
import { alertOf } from '#sinks/alert.ts';
import { IMAGE, transitionOf, verdictOf } from '../../support/verdict.ts';

const at = new Date('2026-01-02T03:05:00Z');
const context = { source: 'urn:attestry:test', now: at };
const open = { image: IMAGE, policyUri: 'file:check-image.yaml', since: '2026-01-02T03:04:05.000Z' };
const firing = alertFiring({ ...open, verdict: verdictOf('fail') }, context);

test('a firing alert names what it is about and ends a few minutes ahead', () => {
  const alert = alertOf(firing, { id: 'prod', url: 'https://attestry.example.com' }, { team: 'platform' }, at);
  assert.deepEqual(alert, {
    labels: {
      team: 'platform',
      alertname: 'AttestryVerdictFailed',
      severity: 'critical',
      instance: 'prod',
      image: IMAGE,
      policy: 'file:check-image.yaml',
    },
    annotations: {
      summary: `${IMAGE} fails check-image: no provenance is attached`,
      policy: 'check-image',
      reason: 'evidence-missing',
      detail: 'no provenance is attached',
      next: 'attest the image',
    },
    startsAt: open.since,
    endsAt: '2026-01-02T03:09:00.000Z',
    generatorURL: 'https://attestry.example.com',
  });
});

test('a resolved alert has the same labels, and ends now', () => {
  const resolved = alertOf(alertResolved(open, context), { id: 'prod' }, {}, at);
  assert.deepEqual(resolved?.labels, alertOf(firing, { id: 'prod' }, {}, at)?.labels);
  assert.equal(resolved?.endsAt, at.toISOString());
});

test('a firing alert that was held up is dropped, a resolved one is not', () => {
  const late = new Date('2026-01-02T03:10:00Z');
  assert.equal(alertOf(firing, { id: 'prod' }, {}, late), undefined);
  assert.ok(alertOf(alertResolved(open, context), { id: 'prod' }, {}, late));
});

test('labels of the configuration never replace those that tell alerts apart', () => {
  const alert = alertOf(firing, { id: 'prod' }, { alertname: 'mine', severity: 'info', team: 't' }, at);
  assert.equal(alert?.labels.alertname, 'AttestryVerdictFailed');
  assert.equal(alert?.labels.severity, 'critical');
});

test('good news is no alert; a certificate near its end is one', () => {
  assert.equal(
    alertOf(transitionEvent(transitionOf(verdictOf('pass'), 'first'), context), { id: 'p' }, {}, at),
    undefined,
  );
  const notAfter = new Date('2026-01-12T00:00:00Z');
  const signer = { id: 's', fingerprint: 'ab', certificate: 'CN=s', notAfter, threshold: 0 };
  const alert = alertOf(certificateExpiring(signer, context), { id: 'p' }, {}, at);
  assert.equal(alert?.labels.alertname, 'AttestryCertificateExpiring');
  assert.equal(alert?.labels.subject, 'signers/s');
  assert.equal(alert?.labels.severity, 'warning');
});
