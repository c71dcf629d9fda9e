import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchSources } from '#compose/source-watch.ts';
import type { CloudEvent } from '#model/event.ts';
import { createHearing } from '#producer/intake/hearing.ts';
import { connectRedis } from '#redis/connection.ts';
import { createHeardSources } from '#redis/heard-sources.ts';
import { createMetrics } from '#telemetry/metrics.ts';
import { startRedis } from '../../support/redis.ts';

const HOUR_MS = 3_600_000;
const START = Date.parse('2026-03-02T00:00:00Z');

async function open(silentAfter?: number) {
  const redis = await startRedis();
  const connection = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
  const heard = createHeardSources(connection.client, { prefix: 'silence' });
  const events: CloudEvent[] = [];
  const metrics = createMetrics();
  let now = new Date(START);
  const source = { id: 'hook', ...(silentAfter === undefined ? {} : { silentAfter }) };
  const look = watchSources({
    config: { sources: [source] } as unknown as Parameters<typeof watchSources>[0]['config'],
    now: () => now,
    heard,
    metrics,
    dispatch: async (event) => void events.push(event),
    context: () => ({ source: '/attestry', now }),
  });
  return {
    heard,
    events,
    metrics,
    /** Looks that many hours after the start. */
    async at(hours: number) {
      now = new Date(START + hours * HOUR_MS);
      await look();
      return events.splice(0).map(({ type }) => type.replace(/^dev\.attestry\.source\.|\.v1$/g, ''));
    },
    speak: (hours: number, lagMs?: number) => heard.heard('hook', new Date(START + hours * HOUR_MS), lagMs),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await redis.stop();
    },
  };
}

test('a source that is silent for longer than its settings say is told once, and that it speaks again', async () => {
  await using ground = await open(2 * HOUR_MS);
  assert.deepEqual(await ground.at(100), [], 'it never spoke');
  await ground.speak(100, 1500);
  assert.deepEqual(await ground.at(101), []);
  assert.deepEqual(await ground.at(103), ['silent']);
  assert.deepEqual(await ground.at(104), []);
  const { body } = await ground.metrics.render();
  assert.match(body, /attestry_source_silent\{source="hook"\} 1/);
  assert.match(body, /attestry_source_lag_seconds\{source="hook"\} 1\.5/);
  assert.match(body, new RegExp(`attestry_source_last_heard_timestamp\\{source="hook"\\} ${START / 1000 + 360_000}`));
  await ground.speak(105);
  assert.deepEqual(await ground.at(106), ['heard-again']);
  assert.deepEqual(await ground.at(108), ['silent']);
});

test('what is usual is learnt: three days at least, and three times the longest silence', async () => {
  await using ground = await open();
  for (let hours = 0; hours < 48; hours += 4) await ground.speak(hours);
  assert.deepEqual(await ground.at(1000), [], 'too short to have learnt it');
  for (let hours = 48; hours <= 120; hours += 4) await ground.speak(hours);
  assert.deepEqual(await ground.at(131), []);
  assert.deepEqual(await ground.at(133), ['silent']);
});

test('a source counts as heard by deliveries that it was let in with', async () => {
  const notes: unknown[] = [];
  let now = new Date(START);
  const hear = createHearing(
    async (...note) => void notes.push(note),
    () => now,
  );
  hear({ kind: 'delivery', source: 'hook', result: 'unauthenticated' });
  hear({ kind: 'delivery', source: undefined, result: 'accepted' });
  assert.deepEqual(notes, []);
  hear({ kind: 'enqueued', source: 'hook', image: 'i', job: '1', state: 'queued', lagMs: 40 });
  hear({ kind: 'delivery', source: 'hook', result: 'accepted' });
  assert.deepEqual(notes, [['hook', now, 40]]);
  now = new Date(START + 1000);
  hear({ kind: 'delivery', source: 'hook', result: 'skipped' });
  assert.deepEqual(notes.slice(1), [['hook', now, undefined]]);
});
