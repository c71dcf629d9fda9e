import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import type { WrittenEvidence } from '#model/evidence.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { createDeliveryIds } from '#redis/delivery-ids.ts';
import { createHostPause } from '#redis/host-pause.ts';
import { createKeys } from '#redis/keys.ts';
import { createLearntFacts } from '#redis/learnt-facts.ts';
import { createOwnPushes } from '#redis/own-pushes.ts';
import { createRateGuard } from '#redis/rate-guard.ts';
import { createToldOnce } from '#redis/told-once.ts';
import { createWrittenEvidence, scanWrittenEvidence } from '#redis/written-evidence.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
let connection: RedisConnection;

before(async () => {
  redis = await startRedis();
  connection = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
});
after(async () => {
  await connection.close();
  await redis.stop();
});

const DAY_MS = 24 * 3_600_000;
const YEAR_MS = 365 * DAY_MS;
const location = { registry: 'registry.example', repository: 'team/app', digest: sha256('app') };

function written(name: string, writtenAt = '2026-03-01T10:00:00.000Z'): WrittenEvidence {
  return {
    descriptor: {
      mediaType: 'application/vnd.dsse.envelope.v1+json',
      digest: sha256(name),
      size: 12,
      annotations: { predicateType: 'https://cyclonedx.org/bom' },
    },
    payloadDigest: sha256(`payload ${name}`),
    predicateType: 'https://cyclonedx.org/bom',
    signer: 'ab',
    rule: 'all',
    writtenAt,
  };
}

test('own pushes are known by repository and digest, for a while', async () => {
  const pushes = createOwnPushes(connection.client, { prefix: 'p' });
  await pushes.announce('registry.example/app', location.digest);
  assert.equal(await pushes.has('registry.example/app', location.digest), true);
  assert.equal(await pushes.has('registry.example/other', location.digest), false);
  assert.equal(await pushes.has('registry.example/app', sha256('else')), false);
  const ttl = await connection.client.pttl(createKeys('p').ownPush('registry.example/app', location.digest));
  assert.ok(ttl > 3_600_000 && ttl <= DAY_MS);
});

test('what was learnt of registries is kept for a day, the newest of each thing', async () => {
  const facts = createLearntFacts(connection.client, { prefix: 'learnt' });
  const fact = { registry: 'registry.example', what: 'referrers-api', holds: false, at: '2026-03-01T10:00:00.000Z' };
  const ofRepository = { ...fact, repository: 'team/app', what: 'immutable-tags' };
  await facts.note(fact);
  await facts.note(ofRepository);
  await facts.note({ ...fact, holds: true });
  const { learnt } = createKeys('learnt');
  await connection.client.hset(learnt, 'broken', '{');
  assert.deepEqual(new Set(await facts.list()), new Set([{ ...fact, holds: true }, ofRepository]));
  const ttl = await connection.client.pttl(learnt);
  assert.ok(ttl > DAY_MS - 60_000 && ttl <= DAY_MS);
});

test('delivery ids are remembered per source, for a while', async () => {
  const deliveries = createDeliveryIds(connection.client, { prefix: 'p' });
  assert.equal(await deliveries.seen('harbor', 'id-1'), false);
  await deliveries.remember('harbor', 'id-1');
  assert.equal(await deliveries.seen('harbor', 'id-1'), true);
  assert.equal(await deliveries.seen('zot', 'id-1'), false);
  assert.ok((await connection.client.pttl(createKeys('p').delivery('harbor', 'id-1'))) > DAY_MS);
});

test('what was written is read back in its order, and lives for a year after its last use', async () => {
  const store = createWrittenEvidence(connection.client, { prefix: 'p', ttlMs: 1000 });
  assert.deepEqual(await store.list(location), []);
  const entries = [written('sbom'), written('provenance', '2026-03-01T09:00:00.000Z')];
  await store.replace(location, entries);
  assert.deepEqual(await store.list(location), entries);
  const key = createKeys('p').written(location);
  assert.ok((await connection.client.pttl(key)) > YEAR_MS - DAY_MS);
  await connection.client.pexpire(key, 5000);
  await store.list(location);
  assert.ok((await connection.client.pttl(key)) > YEAR_MS - DAY_MS);
  await store.replace(location, []);
  assert.equal(await connection.client.exists(key), 0);
});

test('a location keeps its newest entries', async () => {
  const store = createWrittenEvidence(connection.client, { prefix: 'bounded', limit: 2 });
  const entries = [written('a', '2026-01-03'), written('b', '2026-01-01'), written('c', '2026-01-02')];
  await store.replace(location, entries);
  assert.deepEqual(await store.list(location), [entries[0], entries[2]]);
});

test('entries that do not read as ours count as none', async () => {
  const store = createWrittenEvidence(connection.client, { prefix: 'p' });
  const key = createKeys('p').written(location);
  await connection.client.set(key, JSON.stringify([written('good'), { descriptor: 'no' }, null]));
  assert.deepEqual(await store.list(location), [written('good')]);
  for (const text of ['{"a":1}', 'not json', 'null']) {
    await connection.client.set(key, text);
    assert.deepEqual(await store.list(location), []);
  }
});

test('pushes are counted per repository', async () => {
  const guard = createRateGuard(connection.client, { prefix: 'p' });
  assert.equal(await guard.count('registry.example/app'), 1);
  assert.equal(await guard.count('registry.example/app'), 2);
  assert.equal(await guard.count('registry.example/other'), 1);
});

test('the window slides: what is before it no longer counts', async () => {
  const windowMs = 3_600_000;
  const guard = createRateGuard(connection.client, { prefix: 'sliding', windowMs });
  const key = createKeys('sliding').rate('registry.example/app');
  const [seconds] = await connection.client.time();
  const bucket = Math.floor((Number(seconds) * 1000) / windowMs);
  await connection.client.hset(key, { bucket: bucket - 1, count: 1000, before: 5000 });
  const overlapping = await guard.count('registry.example/app');
  assert.ok(overlapping >= 1 && overlapping <= 1001);
  await connection.client.hset(key, { bucket: bucket - 7, count: 1000, before: 1000 });
  assert.equal(await guard.count('registry.example/app'), 1);
});

test('a pause of a host holds for all, the later end wins, and there is a bound', async () => {
  const pause = createHostPause(connection.client, { prefix: 'p', longestMs: 60_000 });
  const other = createHostPause(connection.client, { prefix: 'p', longestMs: 60_000 });
  assert.equal(await pause.pausedUntil('registry.example'), undefined);
  const soon = new Date(Date.now() + 20_000);
  await pause.pauseUntil('registry.example', soon);
  assert.deepEqual(await other.pausedUntil('REGISTRY.example'), soon);
  await other.pauseUntil('registry.example', new Date(soon.getTime() - 5000));
  assert.deepEqual(await pause.pausedUntil('registry.example'), soon);
  await pause.pauseUntil('registry.example', new Date(Date.now() + 10 * DAY_MS));
  const bounded = await pause.pausedUntil('registry.example');
  assert.ok(bounded && bounded > soon && bounded.getTime() < soon.getTime() + 3_600_000);
  await pause.pauseUntil('past.example', new Date(0));
  assert.equal(await pause.pausedUntil('past.example'), undefined);
});

test('what is to be told once is told once, and again while telling fails', async () => {
  const told = createToldOnce(connection.client, { prefix: 'p' });
  let times = 0;
  await assert.rejects(
    told.once('news', () => Promise.reject(new Error('down'))),
    /down/,
  );
  for (let at = 0; at < 3; at++) await told.once('news', async () => void times++);
  await told.once('other news', async () => void times++);
  assert.equal(times, 2);
  const ttl = await connection.client.pttl(createKeys('p').told('news'));
  assert.ok(ttl > YEAR_MS, String(ttl));
});

test('records are scanned location by location, and nothing else is', async () => {
  const prefix = 'scan';
  const store = createWrittenEvidence(connection.client, { prefix });
  for (let at = 0; at < 1200; at++) {
    await store.replace({ ...location, digest: sha256(`image ${at}`) }, [
      written(`piece ${at}`),
      written(`more ${at}`),
    ]);
  }
  await createWrittenEvidence(connection.client, { prefix: 'other' }).replace(location, [written('foreign')]);
  const found = new Set<string>();
  for await (const records of scanWrittenEvidence(connection.client, { prefix })) {
    assert.equal(records.length, 2);
    for (const { descriptor } of records) found.add(descriptor.digest);
  }
  assert.equal(found.size, 2400);
});

test('by the manifest of a referrer of ours it is known which image it is about', async () => {
  const store = createWrittenEvidence(connection.client, { prefix: 'referrers' });
  const manifest = sha256('referrer');
  await store.replace(location, [{ ...written('bundle'), layout: 'bundle', manifest }, written('layer')]);
  assert.equal(await store.subjectOf(location, manifest), location.digest);
  assert.equal(await store.subjectOf({ ...location, repository: 'team/other' }, manifest), undefined);
  assert.equal(await store.subjectOf(location, sha256('layer')), undefined);
});
