import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { keptBody } from '#model/kept-delivery.ts';
import { createDeliveryKeeper, type KeepSettings } from '#producer/intake/keep-delivery.ts';
import type { SourceOptions } from '#producer/intake/options.ts';
import { boundRegistries, mountSource } from '#producer/intake/source.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';
import { createKeptMemory, type KeptMemory } from '../../support/kept-deliveries-memory.ts';
import { createTestProducer, secretsFrom } from '../../support/producer.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const SECRET = 'a-long-and-random-secret';
const NOW = new Date('2026-03-02T10:15:31Z');
const SETTINGS: KeepSettings = { what: 'refused', most: 100, bytes: 1_000_000, bodyBytes: 20_000, ageMs: 1000 };

interface Options {
  readonly settings?: Partial<KeepSettings>;
  readonly requireRoom?: () => Promise<void>;
  readonly keep?: KeptMemory['store']['keep'];
  readonly auth?: SourceOptions['auth'];
}

function door(options: Options = {}) {
  const memory = createKeptMemory();
  const failures: unknown[] = [];
  const keeper = createDeliveryKeeper({
    settings: { ...SETTINGS, ...options.settings },
    store: options.keep ? { keep: options.keep } : memory.store,
    requireRoom: options.requireRoom ?? (async () => {}),
    now: () => NOW,
    failed: (error) => void failures.push(error),
  });
  const source = mountSource(
    {
      id: 'ci',
      sender: 'generic',
      registries: ['main'],
      auth: options.auth ?? { kind: 'bearer', secrets: ['env:TOKEN'] },
      digestOnly: 'enqueue',
      attestationTagSuffixes: [],
      ignoreActors: [],
      ratePerHour: 100,
    },
    boundRegistries([{ id: 'main', name: 'registry.example.com', aliases: [] }]),
    secretsFrom({ TOKEN: SECRET }),
  );
  const { ports } = createIntakeMemory();
  const { app } = createTestProducer({ ports, sources: [source], keep: keeper.keep });
  const post = (payload: string | Buffer, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: '/hooks/ci?token=in-the-address',
      headers: { authorization: `Bearer ${SECRET}`, ...headers },
      payload,
    });
  return { ...memory, post, keeper, failures };
}

const image = (name: string) => JSON.stringify({ image: `${name}@${DIGEST}` });

test('a refused delivery is kept with its answer and reason, and without its secrets', async () => {
  const { post, keeper, kept } = door();
  const answer = await post(`{"image":"evil.example/a@${DIGEST}","note":"${SECRET}","password":"hunter2"}`);
  await keeper[Symbol.asyncDispose]();
  const [one] = kept;
  assert.ok(one);
  const { delivery, bounds } = one;
  assert.equal(delivery.status, answer.statusCode);
  assert.equal(delivery.result, 'rejected');
  assert.equal(delivery.reason, 'host-not-allowed');
  assert.equal(delivery.source, 'ci');
  assert.equal(delivery.at, NOW.toISOString());
  // The id of the request in log and answer leads to the delivery.
  assert.ok(delivery.id.endsWith(String(answer.headers['x-request-id'])));
  assert.equal(delivery.headers.authorization, 'Bearer [redacted]');
  assert.ok(delivery.whole);
  const everything = JSON.stringify(delivery);
  for (const secret of [SECRET, 'hunter2', 'in-the-address']) assert.ok(!everything.includes(secret), secret);
  assert.deepEqual(bounds, { most: 100, bytes: 1_000_000, ageMs: 1000 });
});

test('a wrong value of the header that proves the sender is not kept: it may be that of another source', async () => {
  const { post, keeper, kept } = door({ auth: { kind: 'static-header', header: 'x-hook', secrets: ['env:TOKEN'] } });
  await post(image('registry.example.com/a'), { 'x-hook': 'of-another-source' });
  await keeper[Symbol.asyncDispose]();
  assert.equal(kept[0]?.delivery.result, 'unauthenticated');
  assert.equal(kept[0]?.delivery.headers['x-hook'], '[redacted]');
});

test('what was accepted, or skipped on purpose, is kept where all is', async () => {
  for (const [what, count] of [
    ['refused', 0],
    ['all', 2],
    ['none', 0],
  ] as const) {
    const { post, keeper, kept } = door({ settings: { what } });
    await post(image('registry.example.com/a'));
    await post(`{"image":"registry.example.com/a:sha256-${'a'.repeat(64)}.sig"}`);
    await keeper[Symbol.asyncDispose]();
    assert.equal(kept.length, count, what);
    if (what === 'all') assert.deepEqual(kept.map(({ delivery }) => delivery.result).sort(), ['accepted', 'skipped']);
  }
});

test('a delivery with one bad member is kept although the rest was accepted', async () => {
  const { post, keeper, kept } = door();
  await post(`[${image('registry.example.com/a')},${image('evil.example/a')}]`);
  await keeper[Symbol.asyncDispose]();
  const [one] = kept;
  assert.deepEqual(
    [one?.delivery.result, one?.delivery.reason, one?.delivery.enqueued, one?.delivery.skipped],
    ['accepted', 'host-not-allowed', 1, 1],
  );
});

test('of strangers a little is kept: so many in a minute, cut, in less room', async () => {
  const { post, keeper, kept } = door();
  const body = `{"image":"${'x'.repeat(19_000)}"}`;
  for (let index = 0; index < 25; index++) await post(body, { authorization: 'Bearer wrong-but-real-elsewhere' });
  await post(image('evil.example/a'));
  await keeper[Symbol.asyncDispose]();
  const strangers = kept.filter(({ delivery }) => delivery.result === 'unauthenticated');
  assert.equal(strangers.length, 10);
  const [first] = strangers;
  assert.ok(first);
  assert.equal(first.delivery.whole, false);
  assert.equal(first.delivery.bytes, body.length);
  assert.equal(keptBody(first.delivery).byteLength, 8192);
  assert.deepEqual(first.bounds, { most: 25, bytes: 250_000, ageMs: 1000 });
  assert.ok(!JSON.stringify(kept).includes('wrong-but-real'));
  // They took nothing of what is kept of the sender itself.
  assert.equal(kept.at(-1)?.delivery.result, 'rejected');
});

test('a secret that the cut goes through is not kept by half', async () => {
  for (let before = 19_900; before < 20_010; before += 7) {
    const { post, keeper, kept } = door();
    await post(`{"image":"evil.example/a@${DIGEST}","free":"${'x'.repeat(before)}${SECRET}${'y'.repeat(30_000)}"}`);
    await keeper[Symbol.asyncDispose]();
    const text = kept[0]?.delivery.body.text ?? '';
    assert.ok(text.length > 0 && text.length <= 20_000);
    assert.ok(!text.includes(SECRET.slice(0, 6)), String(before));
  }
});

test('bytes that are no text are kept as they came', async () => {
  const { post, keeper, kept } = door();
  const bytes = Buffer.from([0x7b, 0xff, 0x00, 0x80]);
  await post(bytes);
  await keeper[Symbol.asyncDispose]();
  const [one] = kept;
  assert.ok(one);
  assert.equal(one.delivery.body.encoding, 'base64');
  assert.deepEqual(keptBody(one.delivery), bytes);
});

test('answers do not wait for a store that does not answer, and what waits is bounded', async () => {
  let release = () => {};
  const stuck = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = 0;
  const { post, keeper } = door({
    keep: async () => {
      begun += 1;
      await stuck;
    },
  });
  for (let index = 0; index < 60; index++) assert.equal((await post(image('evil.example/a'))).statusCode, 422);
  assert.equal(begun, 1);
  release();
  await keeper[Symbol.asyncDispose]();
  // The end does not wait for those that had not begun.
  assert.ok(begun <= 2);
});

test('a store that fails, and a Redis without room, change no answer', async () => {
  const unavailable = new AppError('redis-unavailable', 'full');
  const noRoom = door({ requireRoom: () => Promise.reject(unavailable) });
  assert.equal((await noRoom.post(image('evil.example/a'))).statusCode, 422);
  const failing = door({ keep: () => Promise.reject(unavailable) });
  assert.equal((await failing.post(image('evil.example/a'))).statusCode, 422);
  for (const { keeper, failures, kept } of [noRoom, failing]) {
    await keeper[Symbol.asyncDispose]();
    assert.deepEqual(failures, [unavailable]);
    assert.deepEqual(kept, []);
  }
});
