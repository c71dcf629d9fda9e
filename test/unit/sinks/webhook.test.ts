import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { transitionEvent } from '#events/verdict-events.ts';
import { AppError } from '#model/errors.ts';
import { createSink } from '#sinks/index.ts';
import { SinkOptions } from '#sinks/options.ts';
import { type HttpReceiver, startHttpReceiver } from '../../support/http-receiver.ts';
import { sinkDependencies } from '../../support/sink-dependencies.ts';
import { transitionOf, verdictOf } from '../../support/verdict.ts';

const now = new Date('2026-01-02T03:05:00Z');
const event = transitionEvent(transitionOf(verdictOf('fail'), 'changed', verdictOf('pass')), {
  source: 'urn:attestry:test',
  now,
});
const quiet = new AbortController().signal;

function webhook(receiver: HttpReceiver, more: object = {}, secrets: Record<string, string> = {}) {
  const options = SinkOptions.parse({ id: 'hook', type: 'webhook', url: `${receiver.url}/in?x=1`, ...more });
  return createSink(options, sinkDependencies({ secrets, now: () => now }));
}

async function failure(work: Promise<void>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AppError, `an AppError, not ${String(error)}`);
  return error;
}

test('structured mode sends the whole event as its body', async () => {
  await using receiver = await startHttpReceiver();
  await using sink = webhook(receiver);
  await sink.deliver(event, quiet);
  const [request] = receiver.received;
  assert.equal(request?.method, 'POST');
  assert.equal(request?.path, '/in?x=1');
  assert.equal(request?.headers['content-type'], 'application/cloudevents+json; charset=utf-8');
  assert.deepEqual(JSON.parse(request?.body ?? ''), event);
});

test('binary mode sends the attributes as headers, encoded, and the data as body', async () => {
  await using receiver = await startHttpReceiver();
  await using sink = webhook(receiver, { mode: 'binary' });
  await sink.deliver({ ...event, subject: 'r/é "x" 100%' }, quiet);
  const [request] = receiver.received;
  assert.equal(request?.headers['ce-id'], event.id);
  assert.equal(request?.headers['ce-type'], event.type);
  assert.equal(request?.headers['ce-specversion'], '1.0');
  assert.equal(request?.headers['ce-subject'], 'r/%C3%A9%20%22x%22%20100%25');
  assert.equal(request?.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(request?.body ?? ''), event.data);
});

test('a secret signs id, time and body; headers come from secrets', async () => {
  await using receiver = await startHttpReceiver();
  const key = Buffer.from('a webhook key of some length');
  await using sink = webhook(
    receiver,
    { secret: 'env:KEY', headers: { Authorization: 'env:TOKEN' } },
    { 'env:KEY': `whsec_${key.toString('base64')}`, 'env:TOKEN': 'Bearer abc' },
  );
  await sink.deliver(event, quiet);
  const [request] = receiver.received;
  const timestamp = `${now.getTime() / 1000}`;
  const expected = createHmac('sha256', key).update(`${event.id}.${timestamp}.${request?.body}`).digest('base64');
  assert.equal(request?.headers['webhook-id'], event.id);
  assert.equal(request?.headers['webhook-timestamp'], timestamp);
  assert.equal(request?.headers['webhook-signature'], `v1,${expected}`);
  assert.equal(request?.headers.authorization, 'Bearer abc');
});

test('answers that may pass are sink-unavailable and say when to come back', async () => {
  await using receiver = await startHttpReceiver();
  await using sink = webhook(receiver);
  for (const status of [408, 425, 429, 500, 503]) {
    receiver.answer({ status, headers: { 'retry-after': '7' } });
    const error = await failure(sink.deliver(event, quiet));
    assert.equal(error.code, 'sink-unavailable');
    assert.equal(error.retryAfterMs, 7000);
  }
});

test('answers that stay are sink-rejected: client errors and redirects', async () => {
  await using receiver = await startHttpReceiver();
  await using sink = webhook(receiver);
  for (const status of [301, 307, 400, 401, 404, 410, 413]) {
    receiver.answer({ status, headers: { location: 'http://127.0.0.1:1/' } });
    const error = await failure(sink.deliver(event, quiet));
    assert.equal(error.code, 'sink-rejected');
    assert.equal(error.field, 'sinks.hook');
  }
});

test('a connection that breaks or is refused is sink-unavailable', async () => {
  const receiver = await startHttpReceiver();
  await using sink = webhook(receiver);
  receiver.answer('drop');
  assert.equal((await failure(sink.deliver(event, quiet))).code, 'sink-unavailable');
  await receiver[Symbol.asyncDispose]();
  assert.equal((await failure(sink.deliver(event, quiet))).code, 'sink-unavailable');
});

test('an error repeats neither the secret that the receiver echoes nor a secret address', async () => {
  await using receiver = await startHttpReceiver();
  await using sink = webhook(
    receiver,
    { url: 'env:ADDRESS', headers: { 'x-token': 'env:TOKEN' } },
    { 'env:ADDRESS': `${receiver.url}/very-secret-path`, 'env:TOKEN': 'hunter2hunter2' },
  );
  receiver.answer({ status: 403, body: `no\u001b[31m "hunter2hunter2" at ${receiver.url}/very-secret-path` });
  const refused = await failure(sink.deliver(event, quiet));
  assert.match(refused.message, /answered 403: no/);
  assert.doesNotMatch(refused.message, /hunter2|very-secret|\p{Cc}/u);
  receiver.answer('drop');
  const dropped = await failure(sink.deliver(event, quiet));
  assert.doesNotMatch(`${dropped.message} ${String(dropped.cause)}`, /very-secret/);
});

test('an endless error page is not read to its end', async () => {
  await using receiver = await startHttpReceiver();
  await using sink = webhook(receiver);
  receiver.answer({ status: 500, body: 'x'.repeat(1024 * 1024) });
  const error = await failure(sink.deliver(event, quiet));
  assert.equal(error.code, 'sink-unavailable');
  assert.ok(error.message.length < 400);
});

test('an abort ends a delivery', async () => {
  await using receiver = await startHttpReceiver();
  await using sink = webhook(receiver);
  await assert.rejects(sink.deliver(event, AbortSignal.abort(new Error('stopped'))));
  assert.equal(receiver.received.length, 0);
});

test('an address that is no URL is refused when the sink is made', async () => {
  await using receiver = await startHttpReceiver();
  assert.throws(() => webhook(receiver, { url: 'env:ADDRESS' }, { 'env:ADDRESS': 'redis://x' }), {
    code: 'config-invalid',
    field: 'sinks.hook.url',
  });
});
