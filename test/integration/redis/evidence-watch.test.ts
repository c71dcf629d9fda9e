import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Digest, sha256 } from '#model/digest.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { createEvidencePushes } from '#redis/evidence-pushes.ts';
import { createEvidenceWatch } from '#redis/evidence-watch.ts';
import { createKeys } from '#redis/keys.ts';
import { createOwnPushes } from '#redis/own-pushes.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

const HOUR_MS = 3_600_000;

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

const location = { registry: 'registry.example', repository: 'app', digest: sha256('image') };
const TAG = 'a.att';
const push = (name: string) => ({ id: `event of ${name}`, digest: sha256(name) });

/** The watch over one location where we have written. */
async function watching(prefix: string) {
  const { client } = connection;
  await client.set(createKeys(prefix).written(location), '[]');
  const watch = createEvidenceWatch(client, { prefix });
  const ownPushes = createOwnPushes(client, { prefix });
  return {
    pushes: createEvidencePushes(client, { prefix }),
    tell: (name: string) => watch.pushed({ location, tag: TAG, push: push(name) }),
    ours: (name: string, over: Digest | 'nothing') => ownPushes.announce('registry.example/app', sha256(name), over),
  };
}

test('a push of others may have lost something; one of ours only when it was made from another list', async () => {
  const { ours, tell } = await watching('watch');
  await ours('first', 'nothing');
  await ours('second', sha256('first'));
  await ours('third', sha256('second'));
  assert.equal(await tell('first'), false);
  assert.equal(await tell('second'), false);
  assert.equal(await tell('theirs'), true);
  assert.equal(await tell('third'), true);
  assert.equal(await tell('third'), false, 'told again');
});

test('where we have written nothing, nothing is noted', async () => {
  const watch = createEvidenceWatch(connection.client, { prefix: 'nothing' });
  assert.equal(await watch.pushed({ location, tag: TAG, push: push('theirs') }), false);
  assert.deepEqual(await connection.client.keys('nothing:*'), []);
});

test('pushes are kept for an hour in their order, each once, the newest of too many', async () => {
  const { client } = connection;
  const pushes = createEvidencePushes(client, { prefix: 'kept', limit: 3 });
  assert.equal(await pushes.note(location, TAG, push('one')), undefined);
  for (const name of ['two', 'three', 'four', 'four']) await pushes.note(location, TAG, push(name));
  assert.deepEqual(await pushes.list(location, TAG), [push('three'), push('four')]);
  assert.deepEqual(await pushes.list(location, 'another'), []);
  assert.deepEqual(await pushes.note(location, TAG, push('five')), push('four'));
  await pushes.drop(location, TAG, [push('four')]);
  assert.deepEqual(await pushes.list(location, TAG), [push('five')]);
  const key = createKeys('kept').evidencePushes(location, TAG);
  await client.rpush(key, '{', '{"id":1}');
  assert.deepEqual(await pushes.list(location, TAG), [push('five')]);
  const ttl = await client.pttl(key);
  assert.ok(ttl > 0 && ttl <= HOUR_MS);
});

test('what a list of ours came in place of is known as long as it is known to be ours', async () => {
  const ownPushes = createOwnPushes(connection.client, { prefix: 'over' });
  const name = 'registry.example/app';
  await ownPushes.announce(name, sha256('first'), 'nothing');
  await ownPushes.announce(name, sha256('second'), sha256('first'));
  await ownPushes.announce(name, sha256('a referrer'));
  const over = (text: string) => ownPushes.over(name, sha256(text));
  assert.deepEqual(await Promise.all(['first', 'second', 'a referrer', 'theirs'].map(over)), [
    'nothing',
    sha256('first'),
    undefined,
    undefined,
  ]);
  assert.equal(await ownPushes.has(name, sha256('a referrer')), true);
});
