import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { transitionEvent } from '#events/verdict-events.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { createSink } from '#sinks/index.ts';
import { SinkOptions } from '#sinks/options.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { sinkDependencies } from '../../support/sink-dependencies.ts';
import { IMAGE, transitionOf, verdictOf } from '../../support/verdict.ts';

let redis: TestRedis;
let connection: RedisConnection;
const quiet = new AbortController().signal;
const event = transitionEvent(transitionOf(verdictOf('fail'), 'first'), {
  source: 'urn:attestry:test',
  now: new Date('2026-01-02T03:05:00Z'),
});

before(async () => {
  redis = await startRedis();
  connection = await connectRedis({ url: redis.url, role: 'producer', name: 'test' });
});

after(async () => {
  await connection.close();
  await redis.stop();
});

function streamSink(more: object) {
  return createSink(
    SinkOptions.parse({ id: 'stream', type: 'redis-stream', ...more }),
    sinkDependencies({ redis: connection.client }),
  );
}

test('an event is one entry that any reader can filter and parse', async () => {
  await using sink = streamSink({ stream: 'events' });
  await sink.deliver(event, quiet);
  const [entry] = await connection.client.xrange('events', '-', '+');
  const fields = entry?.[1] ?? [];
  assert.deepEqual(fields.slice(0, 6), ['id', event.id, 'type', event.type, 'subject', IMAGE]);
  assert.equal(fields[6], 'event');
  assert.deepEqual(JSON.parse(fields[7] ?? ''), event);
});

test('the stream stays about as long as it may', async () => {
  await using sink = streamSink({ stream: 'short', maxLength: 100 });
  for (let count = 0; count < 400; count++) await sink.deliver(event, quiet);
  const length = await connection.client.xlen('short');
  assert.ok(length >= 100 && length < 300, `${length} entries`);
});

test('a key that is no stream is rejected for good', async () => {
  await connection.client.set('taken', 'x');
  await using sink = streamSink({ stream: 'taken' });
  await assert.rejects(sink.deliver(event, quiet), { code: 'sink-rejected', field: 'sinks.stream.stream' });
});

test('a Redis that is gone is sink-unavailable, and takes events when it is back', async () => {
  await using sink = streamSink({ stream: 'events' });
  await redis.kill();
  await assert.rejects(sink.deliver(event, quiet), { code: 'sink-unavailable' });
  await redis.restart();
  if (connection.client.status !== 'ready') await once(connection.client, 'ready');
  await sink.deliver(event, quiet);
});
