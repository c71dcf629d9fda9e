import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startHooksGround } from '../../support/hooks-ground.ts';
import { metricValue } from '../../support/metric-value.ts';
import { startNats, type TestNats } from '../../support/nats.ts';
import { until } from '../../support/worker-setup.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/registry-events');
const EVENT = readFileSync(join(FIXTURES, 'zot-image-updated-nats.json'), 'utf8');
const SUBJECT = 'zot.events';

/** The recorded event of another push. */
function push(tag: string): string {
  const event = JSON.parse(EVENT);
  return JSON.stringify({ ...event, id: `event-${tag}`, data: { ...event.data, name: `team/${tag}` } });
}

describe('Zot over NATS', () => {
  let nats: TestNats;

  before(async () => {
    nats = await startNats();
    await nats.addStream('ZOT', SUBJECT);
  });
  after(() => nats[Symbol.asyncDispose]());

  async function start(id: string, lines: readonly string[], password = nats.user.password) {
    const sources = `
registries:
  - { id: main, name: registry.example.com }
sources:
  - id: ${id}
    sender: zot-nats
    registry: main
    servers: ${nats.url}
    username: ${nats.user.username}
    password: env:NATS_PASSWORD
${lines.map((line) => `    ${line}`).join('\n')}
`;
    const ground = await startHooksGround(sources, { NATS_PASSWORD: password });
    const count = (metric: string, labels: Readonly<Record<string, string>> = {}) =>
      metricValue(ground.producer.url, `attestry_${metric}`, { source: id, ...labels });
    const isUp = () => until('it is connected', async () => (await count('pull_up')) === 1);
    return { ground, count, isUp, [Symbol.asyncDispose]: () => ground[Symbol.asyncDispose]() };
  }

  test('JetStream: what was sent before the start, through a broken Redis and a restarted server', async () => {
    await nats.publish(SUBJECT, EVENT);
    await nats.publish(SUBJECT, EVENT);
    {
      await using at = await start('zot', [`subject: ${SUBJECT}`, 'stream: ZOT']);
      await until('it is taken', async () => (await nats.outstanding('ZOT', 'attestry-zot')) === 0);
      assert.equal(await at.count('enqueued_total', { state: 'queued' }), 1);
      await at.ground.redis.kill();
      await nats.publish(SUBJECT, push('while-redis-is-away'));
      await until('it was refused', async () => (await at.count('pull_failures_total')) > 0);
      assert.equal(await nats.outstanding('ZOT', 'attestry-zot'), 1);
      await at.ground.redis.restart();
      await until('it is taken', async () => (await nats.outstanding('ZOT', 'attestry-zot')) === 0);
      assert.equal(await at.count('enqueued_total', { state: 'queued' }), 2);
      await nats.stop();
      await until('it is away', async () => (await at.count('pull_up')) === 0);
      await nats.start();
      await nats.publish(SUBJECT, push('after-the-restart'));
      await until('it is taken', async () => (await at.count('enqueued_total')) === 3);
      await nats.publish(SUBJECT, '{ no json');
      await until('it is put aside', async () => (await at.count('pull_given_up_total')) === 1);
      assert.equal((await at.ground.post('zot', EVENT)).status, 404, 'nothing is let in by the door');
    }
    await nats.publish(SUBJECT, push('while-we-are-down'));
    await using again = await start('zot', [`subject: ${SUBJECT}`, 'stream: ZOT']);
    await until('it is taken', async () => (await nats.outstanding('ZOT', 'attestry-zot')) === 0);
    assert.equal(
      await again.count('enqueued_total', { state: 'queued' }),
      1,
      'what was acknowledged is not brought again',
    );
  });

  test('core NATS: what is sent while somebody listens', async () => {
    await using at = await start('core', ['subject: other.events']);
    await at.isUp();
    await nats.publish('other.events', EVENT);
    await nats.publish('other.events', '[]');
    await until('it is taken', async () => (await at.count('enqueued_total', { state: 'queued' })) === 1);
    await until('it is put aside', async () => (await at.count('pull_given_up_total')) === 1);
  });

  test('a wrong password and a stream that is not there are told, and stop nothing else', async () => {
    await using wrong = await start('wrong', [`subject: ${SUBJECT}`], 'wrong-T0PS3CRET');
    await using missing = await start('missing', [`subject: ${SUBJECT}`, 'stream: NONE']);
    for (const at of [wrong, missing]) {
      await until('it failed', async () => (await at.count('pull_failures_total')) > 0);
      assert.equal(await at.count('pull_up'), 0);
      assert.equal((await fetch(`${at.ground.producer.url}/readyz`)).status, 200);
    }
  });
});
