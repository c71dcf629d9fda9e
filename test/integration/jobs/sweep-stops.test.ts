import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { createKeys } from '#redis/keys.ts';
import { type HttpServer, type ServedAnswer, serveHttp } from '../../support/http-server.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { openSweepingWorker } from '../../support/sweep-ground.ts';

let redis: TestRedis;

before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

/** An API of Harbor with one image, for whom has the secret. */
function serveLists(): Promise<HttpServer> {
  return serveHttp(({ path, headers }): ServedAnswer => {
    if (headers.authorization !== 'Bearer right') return { status: 401 };
    const isTags = path.includes('/artifacts');
    const body = isTags ? [{ digest: sha256('image'), tags: [{ name: '1.0' }] }] : [{ name: 'team/app' }];
    return { status: 200, body: JSON.stringify(body) };
  });
}

/** Two workers of one installation, and the clock of both. */
async function openTwo(server: HttpServer, prefix: string, name = 'registry.test') {
  // That of Redis, which is the judge of pauses, until a test moves it.
  const clock = { at: Date.now() };
  const api = { type: 'harbor', url: `${server.url}/api/v2.0/`, secret: 'env:SECRET' };
  const registry = { name, address: 'localhost:9', sweep: { every: '1d', api } };
  const open = () => openSweepingWorker(registry, { redisUrl: redis.url, prefix, now: () => new Date(clock.at) });
  await using stack = new AsyncDisposableStack();
  const [one, other] = [stack.use(await open()), stack.use(await open())];
  const owned = stack.move();
  return { clock, one, other, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function told({ events }: { readonly events: readonly { readonly type: string }[] }): readonly string[] {
  return events.map(({ type }) => type.replace(/^dev\.attestry\.|\.v1$/g, ''));
}

test('an API that asks for time gets it from all workers, and the jobs of the registry go on', async () => {
  await using server = await serveLists();
  await using two = await openTwo(server, 'asks');
  const { one, other, clock } = two;
  server.bend(() => ({ status: 429, headers: { 'retry-after': '600' } }));
  assert.deepEqual(await one.look(), ['registry-throttled']);
  assert.equal(server.requests.length, 1);
  clock.at += 599_000;
  assert.deepEqual([await one.look(), await other.look()], [[], []], 'nobody looks before the time is over');
  // By the clock the time is over; by that of Redis, which is the judge, it is not.
  clock.at += 2000;
  assert.deepEqual(await other.look(), ['registry-resting']);
  assert.equal(server.requests.length, 1, 'what one worker was told holds for the other');
  assert.deepEqual(told(one).concat(told(other)), []);

  // Of its own host alone: the registry itself may be asked.
  const keys = createKeys('asks');
  assert.equal(await one.store.client.exists(keys.hostPause('registry.test')), 0);
  await one.store.client.del(keys.hostPause(server.host));
  server.bend();
  clock.at += 3_600_000;
  assert.deepEqual(await one.look(), ['1 gaps']);
  assert.deepEqual(await other.look(), []);
});

test('an API on the host of the registry shares its pause', async () => {
  await using server = await serveLists();
  await using one = await openSweepingWorker(
    {
      name: 'registry.test',
      address: server.host,
      plainHttp: true,
      sweep: { api: { type: 'harbor', secret: 'env:SECRET' } },
    },
    { redisUrl: redis.url, prefix: 'shares', now: () => new Date() },
  );
  server.bend(() => ({ status: 429, headers: { 'retry-after': '600' } }));
  assert.deepEqual(await one.look(), ['registry-throttled']);
  assert.equal(await one.store.client.exists(createKeys('shares').hostPause('registry.test')), 1);
});

test('an API that breaks rests like a registry that does, and is told once', async () => {
  await using server = await serveLists();
  await using two = await openTwo(server, 'breaks');
  const { one, other, clock } = two;
  server.bend(() => ({ status: 503 }));
  // Five failures open the breaker of its host.
  for (let at = 0; at < 5; at++) {
    assert.deepEqual(await (at % 2 === 0 ? one : other).look(), ['registry-unavailable']);
    clock.at += 3_600_000;
  }
  assert.equal(server.requests.length, 5);
  assert.deepEqual(await one.look(), ['registry-resting']);
  assert.equal(server.requests.length, 5);
  assert.deepEqual(told(one).concat(told(other)), ['registry.suspended', 'sweep.failing']);
});

test('a sweep that people must mend is tried ever more seldom, told once, and told again when it is whole', async () => {
  await using server = await serveLists();
  await using two = await openTwo(server, 'mend');
  const { one, other, clock } = two;
  server.bend(() => ({ status: 403 }));
  const began = clock.at;
  const tries: number[] = [];
  // Six hours of looks, each minute by both.
  for (let minute = 0; minute < 360; minute++) {
    const ends = [...(await one.look()), ...(await other.look())];
    if (ends.length > 0) tries.push((clock.at - began) / 60_000);
    clock.at += 60_000;
  }
  assert.deepEqual(tries, [0, 1, 2, 4, 8, 16, 32, 64, 124, 184, 244, 304]);
  assert.equal(server.requests.length, tries.length, 'each cost a request');
  assert.deepEqual(told(one).concat(told(other)), ['sweep.failing']);
  const [failing] = one.events;
  assert.match(
    JSON.stringify(failing?.data),
    /"code":"registry-unauthorized","reason":"registry\.test: its API answered 403"/,
  );

  server.bend();
  clock.at += 3_600_000;
  assert.deepEqual(await other.look(), ['1 gaps']);
  assert.deepEqual(told(other), ['sweep.recovered']);
  clock.at += 24 * 3_600_000;
  assert.equal((await one.look()).length, 1);
  assert.deepEqual([told(one), told(other)], [['sweep.failing'], ['sweep.recovered']]);
});
