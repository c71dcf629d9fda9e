import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readAssumption } from '#cli/hooks/assume.ts';
import { NO_REQUEST, readStoredRequest } from '#cli/hooks/stored-request.ts';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import type { Credential } from '#producer/intake/credential.ts';
import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { ADAPTERS } from '#producer/webhooks/index.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';
import { createTestProducer } from '../../support/producer.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/registry-events');

type Reaction = 'done' | 'given-up' | 'sent-again';
type Habit = (status: number) => Reaction;

const isSuccess = (status: number) => status >= 200 && status < 300;

/** Whatever is not a success comes again: what cannot be mended must not be refused. */
const repeats: Habit = (status) => (isSuccess(status) ? 'done' : 'sent-again');
const once: Habit = (status) => (isSuccess(status) ? 'done' : 'given-up');
const repeatsWhenAsked: Habit = (status) =>
  isSuccess(status) ? 'done' : status === 429 || status >= 500 ? 'sent-again' : 'given-up';

/** What senders make of a status, as far as it is known; of the others the worst is assumed. */
const HABITS: Readonly<Record<string, Habit>> = {
  distribution: repeats,
  gitlab: repeats,
  harbor: repeats,
  quay: repeats,
  dockerhub: repeats,
  alibaba: repeats,
  artifactory: repeats,
  nexus: repeats,
  zot: once,
  acr: once,
  github: once,
  gitea: once,
  forgejo: once,
  ecr: repeatsWhenAsked,
  'ecr-sns': (status) => (isSuccess(status) ? 'done' : status >= 500 ? 'sent-again' : 'given-up'),
  'acr-eventgrid': (status) => {
    if (status >= 200 && status <= 204) return 'done';
    return status === 400 || status === 413 ? 'given-up' : 'sent-again';
  },
  gar: (status) => ([200, 201, 202, 204].includes(status) ? 'done' : 'sent-again'),
  generic: repeatsWhenAsked,
  // Fetched: what is refused is left to the queue's dead letters, what is unavailable is not acknowledged.
  'ecr-sqs': repeatsWhenAsked,
  'zot-nats': repeatsWhenAsked,
};

/** Senders that try once: a push that they cannot hand over is found by the sweep. */
const NEVER_AGAIN = ['zot', 'acr', 'github', 'gitea', 'forgejo'];

const read = (file: string) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));

/** A recorded delivery of the sender of which all is enqueued. */
function recorded({ id }: WebhookAdapter): string {
  const overNats = id === 'zot-nats';
  const found = readdirSync(FOLDER).find((file) => {
    if (!file.endsWith('.expected.json') || file.includes('-nats.') !== overNats) return false;
    const { sender, enqueue, skipped } = read(file);
    return sender === (overNats ? 'zot' : id) && enqueue.length > 0 && skipped.length === 0;
  });
  assert.ok(found, `no recorded push of ${id}`);
  return found.replace('.expected.json', '');
}

function setUp(adapter: WebhookAdapter, { credential = { kind: 'none' } as Credential, bound = true } = {}) {
  const name = recorded(adapter);
  const { assume } = read(`${name}.expected.json`);
  const { binding: assumed, settings } = readAssumption(assume, adapter);
  const headers = `${name}.headers.json`;
  const stored = existsSync(join(FOLDER, headers)) ? readStoredRequest(read(headers), adapter) : NO_REQUEST;
  const store = { away: false };
  const memory = createIntakeMemory();
  const { queue } = memory.ports;
  const enqueueImage: typeof queue.enqueueImage = async (...given) => {
    if (store.away) throw new AppError('redis-unavailable', 'Redis did not answer');
    return queue.enqueueImage(...given);
  };
  const binding = bound ? assumed : { ...assumed, registryOf: () => undefined };
  const source = { id: 's', adapter, binding, settings, credential, ratePerHour: 100, cause: 'push' as const };
  const { app } = createTestProducer({ sources: [source], ports: { ...memory.ports, queue: { enqueueImage } } });
  const request = {
    method: 'POST' as const,
    url: '/hooks/s',
    headers: { 'content-type': 'application/json', ...stored.headers },
    query: stored.query,
  };
  const send = (payload: string | Buffer = readFileSync(join(FOLDER, `${name}.json`))) =>
    app.inject({ ...request, payload });
  return { send, store, jobs: memory.jobs };
}

test('every sender is spoken of', () => {
  assert.deepEqual(Object.keys(HABITS).sort(), ADAPTERS.map(({ id }) => id).sort());
});

for (const adapter of ADAPTERS) {
  const habit = HABITS[adapter.id] ?? repeats;
  describe(`answers to ${adapter.id}`, () => {
    test('a push that is taken is done with', async () => {
      const { send, jobs } = setUp(adapter);
      assert.equal(habit((await send()).statusCode), 'done');
      assert.ok(jobs.length > 0);
    });

    test('while Redis is away it is asked to come again, and then it is taken', async () => {
      const { send, store, jobs } = setUp(adapter);
      store.away = true;
      const refused = await send();
      assert.equal(refused.statusCode, 503);
      assert.match(String(refused.headers['retry-after']), /^[1-9][0-9]*$/);
      assert.equal(habit(refused.statusCode), NEVER_AGAIN.includes(adapter.id) ? 'given-up' : 'sent-again');
      assert.equal(jobs.length, 0);
      store.away = false;
      assert.equal(habit((await send()).statusCode), 'done');
      assert.ok(jobs.length > 0);
    });

    test('what no repetition would mend is not asked for again', async () => {
      for (const body of [
        '<html>',
        '',
        '['.repeat(65) + ']'.repeat(65),
        Buffer.alloc(adapter.maxBodyBytes + 1, 0x20),
      ]) {
        const { send, jobs } = setUp(adapter);
        const { statusCode } = await send(body);
        assert.notEqual(habit(statusCode), 'sent-again', `${statusCode} to ${body.length} bytes`);
        assert.equal(jobs.length, 0);
      }
    });

    test('a push of a registry that is not its own neither', async () => {
      const { send, jobs } = setUp(adapter, { bound: false });
      const { statusCode } = await send();
      assert.notEqual(habit(statusCode), 'sent-again', String(statusCode));
      // Who names no registry speaks for the one that it is bound to.
      if (jobs.length > 0) assert.equal(statusCode, adapter.answers.accepted);
    });

    test('a wrong credential is told, never taken for good', async () => {
      const bearers = [{ tokens: () => [new Secret('right', 'env:T')] }];
      const { send, jobs } = setUp(adapter, { credential: { kind: 'bearer', bearers } });
      assert.equal((await send()).statusCode, adapter.answers.unauthenticated);
      assert.equal(habit(adapter.answers.unauthenticated) === 'done', false);
      assert.equal(jobs.length, 0);
    });
  });
}
