import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { alertFiring, alertResolved } from '#events/verdict-events.ts';
import { intakeUnauthenticated } from '#events/watch-events.ts';
import { createSink } from '#sinks/index.ts';
import { SinkOptions } from '#sinks/options.ts';
import type { Sink } from '#sinks/sink.ts';
import { startAlertmanager, type TestAlertmanager } from '../../support/alertmanager.ts';
import { sinkDependencies } from '../../support/sink-dependencies.ts';
import { IMAGE, verdictOf } from '../../support/verdict.ts';

let alertmanager: TestAlertmanager;
let sink: Sink;
const quiet = new AbortController().signal;
const open = {
  image: IMAGE,
  policyUri: 'file:check-image.yaml',
  since: new Date(Date.now() - 3_600_000).toISOString(),
};
const FAILED = 'alertname="AttestryVerdictFailed"';

function context(agoMs = 0) {
  return { source: 'urn:attestry:test', now: new Date(Date.now() - agoMs) };
}

before(async () => {
  alertmanager = await startAlertmanager();
  const options = SinkOptions.parse({
    id: 'am',
    type: 'alertmanager',
    url: `${alertmanager.url}/`,
    labels: { team: 'platform' },
  });
  sink = createSink(options, sinkDependencies({ url: 'https://attestry.example.com' }));
});

after(async () => {
  await sink[Symbol.asyncDispose]();
  await alertmanager[Symbol.asyncDispose]();
});

test('a red verdict fires, is kept firing by each repetition, and is resolved', async () => {
  const verdict = verdictOf('fail');
  await sink.deliver(alertFiring({ ...open, verdict }, context(60_000)), quiet);
  const [fired, ...others] = await alertmanager.alerts(FAILED);
  assert.equal(others.length, 0);
  assert.equal(fired?.labels.image, IMAGE);
  assert.equal(fired?.labels.policy, 'file:check-image.yaml');
  assert.equal(fired?.labels.instance, 'test');
  assert.equal(fired?.labels.team, 'platform');
  assert.equal(fired?.annotations.next, 'attest the image');
  assert.equal(fired?.startsAt, open.since);
  assert.equal(fired?.generatorURL, 'https://attestry.example.com');

  await sink.deliver(alertFiring({ ...open, verdict }, context()), quiet);
  const [kept, ...more] = await alertmanager.alerts(FAILED);
  assert.equal(more.length, 0);
  assert.ok(Date.parse(kept?.endsAt ?? '') > Date.parse(fired?.endsAt ?? ''), 'the end moved ahead');
  assert.equal(kept?.startsAt, open.since);

  await sink.deliver(alertResolved({ ...open, verdict: verdictOf('pass') }, context()), quiet);
  assert.deepEqual(await alertmanager.alerts(FAILED), []);

  await sink.deliver(alertFiring({ ...open, since: new Date().toISOString(), verdict }, context()), quiet);
  assert.equal((await alertmanager.alerts(FAILED)).length, 1);
});

test('what asks for somebody to act is an alert too', async () => {
  await sink.deliver(intakeUnauthenticated('prod-registry', context()), quiet);
  const [alert] = await alertmanager.alerts('alertname="AttestryUnauthenticated"');
  assert.equal(alert?.labels.subject, 'sources/prod-registry');
  assert.match(alert?.annotations.summary ?? '', /wrong credential/);
});

test('what Alertmanager refuses is rejected for good, with its words', async () => {
  const options = SinkOptions.parse({ id: 'wrong', type: 'alertmanager', url: `${alertmanager.url}/elsewhere` });
  await using wrong = createSink(options, sinkDependencies({}));
  await assert.rejects(wrong.deliver(intakeUnauthenticated('s', context()), quiet), { code: 'sink-rejected' });
});
