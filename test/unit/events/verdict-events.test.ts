import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_DATA } from '#events/catalogue.ts';
import { eventSource } from '#events/cloud-event.ts';
import { alertFiring, alertOfTransition, alertResolved, transitionEvent } from '#events/verdict-events.ts';
import type { CloudEvent } from '#model/event.ts';
import { IMAGE, transitionOf, verdictOf } from '../../support/verdict.ts';

const context = { source: 'urn:attestry:test', now: new Date('2026-01-02T03:05:00Z') };

function assertShape(event: CloudEvent): void {
  EVENT_DATA[event.type].data.parse(event.data);
  assert.equal(event.specversion, '1.0');
  assert.equal(event.datacontenttype, 'application/json');
}

test('a change becomes the event of its kind, at the time of the change', () => {
  const types = {
    first: 'dev.attestry.verdict.first.v1',
    changed: 'dev.attestry.verdict.changed.v1',
    'could-not-check': 'dev.attestry.verdict.could-not-check.v1',
    'checked-again': 'dev.attestry.verdict.checked-again.v1',
  } as const;
  for (const [change, type] of Object.entries(types)) {
    const event = transitionEvent(transitionOf(verdictOf('fail'), change as keyof typeof types), context);
    assert.equal(event.type, type);
    assert.equal(event.subject, IMAGE);
    assert.equal(event.time, '2026-01-02T03:04:05.000Z');
    assertShape(event);
  }
});

test('telling a change again is the same event; another change is another', () => {
  const transition = transitionOf(verdictOf('fail'), 'changed', verdictOf('pass'));
  const later = { ...context, now: new Date('2026-01-03T00:00:00Z') };
  assert.equal(transitionEvent(transition, later).id, transitionEvent(transition, context).id);
  assert.notEqual(transitionEvent({ ...transition, sequence: 4 }, context).id, transitionEvent(transition, context).id);
  const other = { ...transition, policyUri: 'file:other.yaml' };
  assert.notEqual(transitionEvent(other, context).id, transitionEvent(transition, context).id);
});

test('the line for people says what changed and why', () => {
  const event = transitionEvent(transitionOf(verdictOf('fail'), 'changed', verdictOf('pass')), context);
  assert.equal(event.data.message, `${IMAGE}: check-image went from pass to fail: no provenance is attached`);
  assert.deepEqual(event.data.previous, { outcome: 'pass', codes: ['verified'] });
  const same = transitionEvent(transitionOf(verdictOf('fail'), 'changed', verdictOf('fail')), context);
  assert.match(same.data.message, /still says fail, for other reasons/);
});

test('a verdict full of hostile reasons stays small and on one line', () => {
  const reason = { code: 'condition-failed', message: `\u001b[2J\n${'x'.repeat(5000)}\u202e` } as const;
  const event = transitionEvent(transitionOf(verdictOf('fail', Array(5000).fill(reason)), 'first'), context);
  assertShape(event);
  assert.equal(event.data.verdict.reasons.length, 20);
  assert.equal(event.data.verdict.reasonsOmitted, 4980);
  assert.ok(JSON.stringify(event).length < 30_000);
  assert.doesNotMatch(event.data.message, /[\p{Cc}\u202e]/u);
  assert.ok(event.data.message.length <= 1000);
});

test('each repetition of an open alert is an event of its own', () => {
  const alert = { image: IMAGE, policyUri: 'file:check-image.yaml', since: '2026-01-02T03:04:05.000Z' };
  const firing = alertFiring({ ...alert, verdict: verdictOf('fail') }, context);
  const again = alertFiring(
    { ...alert, verdict: verdictOf('fail') },
    { ...context, now: new Date('2026-01-02T03:06:00Z') },
  );
  assertShape(firing);
  assert.notEqual(firing.id, again.id);
  assert.equal(firing.data.since, alert.since);
});

test('an alert ends with a good verdict, or with its image', () => {
  const gone = alertResolved({ image: IMAGE, policyUri: 'file:check-image.yaml' }, context);
  assertShape(gone);
  assert.match(gone.data.message, /it is watched no more/);
  const good = alertResolved({ image: IMAGE, policyUri: 'p', verdict: verdictOf('pass') }, context);
  assert.match(good.data.message, /check-image says pass/);
});

test('what a change means for alerts', () => {
  const kindOf = (...args: Parameters<typeof transitionOf>) => alertOfTransition(transitionOf(...args), context)?.type;
  assert.equal(kindOf(verdictOf('fail'), 'first'), 'dev.attestry.alert.firing.v1');
  assert.equal(kindOf(verdictOf('fail'), 'changed', verdictOf('pass')), 'dev.attestry.alert.firing.v1');
  assert.equal(kindOf(verdictOf('pass'), 'changed', verdictOf('fail')), 'dev.attestry.alert.resolved.v1');
  assert.equal(kindOf(verdictOf('skip'), 'changed', verdictOf('fail')), 'dev.attestry.alert.resolved.v1');
  assert.equal(kindOf(verdictOf('pass'), 'first'), undefined);
  assert.equal(kindOf(verdictOf('warn'), 'changed', verdictOf('pass')), undefined);
  assert.equal(kindOf(verdictOf('error'), 'could-not-check', verdictOf('fail')), undefined);
});

test('the source is the address of the installation, or its name', () => {
  const builderId = 'https://example.com/builder';
  assert.equal(eventSource({ id: 'prod', builderId }), 'urn:attestry:prod');
  assert.equal(eventSource({ id: 'prod', builderId, url: 'https://a.example.com' }), 'https://a.example.com');
});
