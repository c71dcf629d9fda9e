import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import type { HandedIn } from '#model/handed-in.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { createHandInAllowance } from '#redis/hand-in-allowance.ts';
import { createHandedIn } from '#redis/handed-in.ts';
import { createKeys } from '#redis/keys.ts';
import { fails, failure } from '../../support/failure.ts';
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

const DIGEST = sha256('app');
const IMAGE = `registry.example/team/app@${DIGEST}`;

function handedIn(more: Partial<HandedIn> = {}): HandedIn {
  return {
    v: 1,
    image: { registry: 'registry.example', repository: 'team/app', digest: DIGEST },
    predicateType: 'https://openvex.dev/ns',
    statement: 'e30=',
    source: 'api',
    actor: 'ci',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    receivedAt: '2026-03-01T10:00:00.000Z',
    ...more,
  };
}

test('what is handed in is there for another process, once, until it is dropped', async () => {
  const one = createHandedIn(connection.client, { prefix: 'one' });
  const id = await one.put(IMAGE, handedIn());
  // The same request again, later and of another trace, is the same one.
  assert.equal(await one.put(IMAGE, handedIn({ receivedAt: '2026-03-02T10:00:00.000Z' })), id);
  const others = [
    handedIn({ actor: 'dev' }),
    handedIn({ statement: 'e30K' }),
    handedIn({ signer: 'x' }),
    handedIn({ image: { ...handedIn().image, tag: 'v1' } }),
  ];
  for (const other of others) await one.put(IMAGE, other);
  const elsewhere = createHandedIn(connection.client, { prefix: 'one' });
  assert.equal((await elsewhere.list(IMAGE)).length, 1 + others.length);
  assert.deepEqual(await elsewhere.get(IMAGE, id), handedIn());
  await elsewhere.drop(IMAGE, id);
  assert.equal(await one.get(IMAGE, id), undefined);
  assert.equal((await one.list(IMAGE)).length, others.length);
  assert.deepEqual(await one.list(`${IMAGE}0`), []);
  assert.ok((await connection.client.pttl(createKeys('one').handedIn(IMAGE))) > 0);
});

test('only so many wait for one image; what waits already is taken again', async () => {
  const store = createHandedIn(connection.client, { prefix: 'two', most: 2 });
  const first = await store.put(IMAGE, handedIn({ statement: 'MQ==' }));
  await store.put(IMAGE, handedIn({ statement: 'Mg==' }));
  await fails('handed-in-full', store.put(IMAGE, handedIn({ statement: 'Mw==' })));
  assert.equal(await store.put(IMAGE, handedIn({ statement: 'MQ==' })), first);
  await store.drop(IMAGE, first);
  await store.put(IMAGE, handedIn({ statement: 'Mw==' }));
});

test('what does not read as something handed in is none', async () => {
  const store = createHandedIn(connection.client, { prefix: 'three' });
  const key = createKeys('three').handedIn(IMAGE);
  await connection.client.hset(key, { a: 'no JSON', b: '{"v":2}', c: JSON.stringify({ ...handedIn(), statement: 7 }) });
  for (const id of await store.list(IMAGE)) assert.equal(await store.get(IMAGE, id), undefined);
});

test('a caller hands in so much within a window, by whichever process, and no other caller is held back', async () => {
  const options = { prefix: 'allowance', bytes: 64 * 1024, windowMs: 60_000 };
  const [one, two] = [
    createHandInAllowance(connection.client, options),
    createHandInAllowance(connection.client, options),
  ];
  await one.spend('ci', 30 * 1024);
  await two.spend('ci', 1);
  const refused = await failure(two.spend('ci', 20 * 1024));
  assert.equal(refused.code, 'handed-in-full');
  assert.equal(refused.field, 'producer.api.handInPerHour');
  assert.ok((refused.retryAfterMs ?? 0) > 0 && (refused.retryAfterMs ?? 0) <= 60_000);
  // What was refused was not taken: the rest is still there.
  await one.spend('ci', 18 * 1024);
  await one.spend('other', 60 * 1024);
});

test('the allowance is full again when its window has ended', async () => {
  const options = { prefix: 'allowance', bytes: 32 * 1024, windowMs: 60_000 };
  const { spend } = createHandInAllowance(connection.client, options);
  await spend('nightly', 32 * 1024);
  assert.equal((await failure(spend('nightly', 1))).code, 'handed-in-full');
  const key = createKeys('allowance').handInAllowance('nightly');
  assert.ok((await connection.client.pttl(key)) > 0);
  await connection.client.pexpireat(key, 1);
  await spend('nightly', 1);
});
