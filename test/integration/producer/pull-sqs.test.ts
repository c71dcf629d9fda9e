import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type HooksGround, startHooksGround } from '../../support/hooks-ground.ts';
import { type SqsServer, startSqs } from '../../support/key-services/sqs-server.ts';
import { metricValue } from '../../support/metric-value.ts';
import { until } from '../../support/worker-setup.ts';

const SECRET = 'aws-T0PS3CRET';
const FIXTURES = join(import.meta.dirname, '../../fixtures/registry-events');
const HOST = '123456789012.dkr.ecr.us-east-1.amazonaws.com';
const recorded = JSON.parse(readFileSync(join(FIXTURES, 'ecr-sqs-receive.json'), 'utf8'));
const EVENT: string = recorded.Messages[0].Body;

interface Ground extends AsyncDisposable {
  readonly sqs: SqsServer;
  readonly ground: HooksGround;
  count(metric: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

async function start(more: { maxReceiveCount?: number; secret?: string; giveUpAfter?: number } = {}): Promise<Ground> {
  await using stack = new AsyncDisposableStack();
  const { maxReceiveCount, secret = SECRET, giveUpAfter = 10 } = more;
  const sqs = stack.use(
    await startSqs({
      region: 'us-east-1',
      credentials: { AKIDEXAMPLE: { secret: SECRET } },
      now: () => new Date(),
      visibilityMs: 300,
      ...(maxReceiveCount === undefined ? {} : { maxReceiveCount }),
    }),
  );
  const sources = `
registries:
  - { id: ecr, name: ${HOST} }
sources:
  - id: sqs
    sender: ecr-sqs
    registries: ecr
    queue: ${sqs.queueUrl}
    giveUpAfter: ${giveUpAfter}
    access: { AWS_REGION: us-east-1, AWS_ACCESS_KEY_ID: AKIDEXAMPLE, AWS_SECRET_ACCESS_KEY: env:AWS_SECRET }
`;
  const ground = stack.use(await startHooksGround(sources, { AWS_SECRET: secret }));
  const owned = stack.move();
  const count: Ground['count'] = (metric, labels = {}) =>
    metricValue(ground.producer.url, `attestry_${metric}`, { source: 'sqs', ...labels });
  return { sqs, ground, count, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The recorded event of another push. */
function push(tag: string): string {
  const event = JSON.parse(EVENT);
  return JSON.stringify({ ...event, id: `event-${tag}`, detail: { ...event.detail, 'image-tag': tag } });
}

describe('ECR by SQS', () => {
  test('messages become jobs and are deleted; behind SNS too, a repetition is none twice', async () => {
    await using at = await start();
    at.sqs.send(EVENT);
    at.sqs.send(EVENT);
    at.sqs.send(JSON.stringify({ Type: 'Notification', MessageId: 'm', Message: push('by-sns') }));
    await until('all are deleted', async () => at.sqs.deleted() === 3);
    assert.equal(await at.count('enqueued_total', { state: 'queued' }), 1);
    assert.equal(await at.count('pull_up'), 1);
    assert.equal((await at.ground.post('sqs', EVENT)).status, 404, 'nothing is let in by the door');
  });

  test('nothing is deleted while Redis is away; then each is taken once', async () => {
    await using at = await start();
    await until('it fetches', async () => (await at.count('pull_up')) === 1);
    await at.ground.redis.kill();
    at.sqs.send(EVENT);
    await until('it came and was refused', async () => (await at.count('pull_failures_total')) > 0);
    assert.equal(at.sqs.deleted(), 0);
    assert.equal(at.sqs.left().length, 1);
    await at.ground.redis.restart();
    await until('it is deleted', async () => at.sqs.deleted() === 1);
    assert.equal(await at.count('enqueued_total', { state: 'queued' }), 1);
  });

  test('a redrive policy puts nothing aside because Redis was away', async () => {
    await using at = await start({ maxReceiveCount: 2 });
    await until('it fetches', async () => (await at.count('pull_up')) === 1);
    await at.ground.redis.kill();
    at.sqs.send(EVENT);
    await until('it was tried some times', async () => (await at.count('pull_failures_total')) > 3);
    await at.ground.redis.restart();
    await until('it left the queue', async () => at.sqs.left().length === 0);
    assert.deepEqual(at.sqs.dead, []);
    assert.equal(at.sqs.deleted(), 1);
  });

  test('what cannot be read costs no other, and ends in the dead letters', async () => {
    await using at = await start({ maxReceiveCount: 2 });
    at.sqs.send('{ no json');
    at.sqs.send(EVENT);
    await until('the redrive took it', async () => at.sqs.dead.length === 1);
    assert.deepEqual(at.sqs.dead, ['{ no json']);
    assert.equal(at.sqs.deleted(), 1);
    assert.equal(await at.count('pull_given_up_total'), 0);
    const { out } = await at.ground.hooks('deliveries', '--json');
    const kept = JSON.parse(out) as readonly { source: string; reason?: string }[];
    assert.deepEqual(
      kept.map(({ source, reason }) => [source, reason]),
      [['sqs', 'malformed']],
    );
  });

  test('without a redrive policy it is given up, and told', async () => {
    await using at = await start({ giveUpAfter: 2 });
    at.sqs.send('{ no json');
    await until('it is given up', async () => at.sqs.deleted() === 1);
    assert.equal(await at.count('pull_given_up_total'), 1);
  });

  test('a wrong secret is told, tried again and in no log or metric', async () => {
    await using at = await start({ secret: 'wrong-T0PS3CRET' });
    await until('it failed', async () => (await at.count('pull_failures_total')) > 0);
    assert.equal(await at.count('pull_up'), 0);
    assert.ok(!(await (await fetch(`${at.ground.producer.url}/metrics`)).text()).includes('T0PS3CRET'));
  });
});
