import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { evidenceTagTest } from '#model/evidence-tag.ts';
import { Secret } from '#model/secret.ts';
import type { Answer } from '#producer/intake/answer.ts';
import { createIntake } from '#producer/intake/intake.ts';
import type { IntakeObservation } from '#producer/intake/observation.ts';
import type { IntakePorts } from '#producer/intake/ports.ts';
import { rateDelayMs } from '#producer/intake/rate-delay.ts';
import { bindRegistries, type Source } from '#producer/intake/source.ts';
import { distribution } from '#producer/webhooks/adapters/distribution.ts';
import { generic } from '#producer/webhooks/adapters/generic.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

const source: Source = {
  id: 'hub',
  adapter: distribution,
  credential: { kind: 'bearer', bearers: [{ tokens: () => [new Secret('t', 'env:T')] }] },
  binding: {
    ...bindRegistries([{ id: 'r', name: 'registry.example.com', hosts: [] }]),
    registry: 'registry.example.com',
    digestOnly: 'skip',
    isAttestationTag: evidenceTagTest(),
    isIgnoredActor: () => false,
  },
  ratePerHour: 100,
  cause: 'push',
};
const api: Source = { ...source, id: 'api', adapter: generic, cause: 'api' };

const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', repository: 'team/app' };

function push(id: string, letter: string, change: object = {}): object {
  const target = { ...manifest, tag: '1', digest: digest(letter) };
  return { id, action: 'push', target, actor: { name: 'ci' }, ...change };
}

function setUp(overrides: Partial<IntakePorts> = {}) {
  const memory = createIntakeMemory(overrides);
  const observed: IntakeObservation[] = [];
  const intake = createIntake({
    ports: memory.ports,
    now: () => new Date('2026-03-02T10:15:31Z'),
    observe: (observation) => void observed.push(observation),
  });
  function send(to: Source, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return intake.receive(to, {
      method: 'POST',
      headers: { authorization: 'Bearer t', ...headers },
      query: {},
      body: body === 'too-large' ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      traceparent: TRACE,
    });
  }
  return { ...memory, intake, observed, send };
}

const away = async (): Promise<never> => {
  throw new AppError('redis-unavailable', 'Redis did not answer');
};

describe('intake', () => {
  test('a push becomes a job with everything that the worker needs', async () => {
    const { send, jobs } = setUp();
    const answer = await send(source, { events: [push('1', 'a')] });
    assert.equal(answer.status, 202);
    assert.deepEqual(jobs[0]?.job, {
      v: 1,
      kind: 'attest',
      image: { registry: 'registry.example.com', repository: 'team/app', tag: '1', digest: digest('a') },
      source: 'hub',
      actor: 'ci',
      cause: 'push',
      traceparent: TRACE,
      receivedAt: '2026-03-02T10:15:31.000Z',
    });
  });

  test('a delivery sent again is a duplicate, but not when its first try failed', async () => {
    let fail = true;
    const memory = createIntakeMemory();
    const { send, jobs, remembered } = setUp({
      queue: {
        enqueueImage: (lane, job, options) => (fail ? away() : memory.ports.queue.enqueueImage(lane, job, options)),
      },
    });
    const body = { events: [push('1', 'a')] };
    const refused = await send(source, body);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers['retry-after'], '5');
    assert.equal(remembered.size, 0);
    fail = false;
    assert.equal((await send(source, body)).status, 202);
    assert.equal(memory.jobs.length, 1);
    const again = await send(source, body);
    assert.equal(again.status, 200);
    assert.deepEqual(again.body, {
      results: [
        { from: 'events[0]', status: 'skipped', reason: 'duplicate', message: 'the same image was already accepted' },
      ],
    });
    assert.equal(jobs.length, 0);
  });

  test('whichever part of Redis is away, nothing is acknowledged', async () => {
    const target = { ...manifest, tag: `sha256-${'a'.repeat(64)}.att`, digest: digest('b') };
    const body = { events: [push('1', 'a'), push('2', 'b', { target })] };
    const missing: Partial<IntakePorts>[] = [
      { ownPushes: { has: away } },
      { evidence: { pushed: away } },
      { deliveries: { seen: away, remember: async () => {} } },
      { rate: { count: away } },
      { queue: { enqueueImage: away } },
    ];
    for (const overrides of missing) {
      const { send, observed } = setUp(overrides);
      assert.equal((await send(source, body)).status, 503);
      assert.deepEqual(observed.at(-1), { kind: 'delivery', source: 'hub', result: 'unavailable' });
    }
  });

  test('a job that is in Redis is acknowledged even when its id cannot be remembered', async () => {
    const { send, jobs } = setUp({ deliveries: { seen: async () => false, remember: away } });
    assert.equal((await send(source, { events: [push('1', 'a')] })).status, 202);
    assert.equal(jobs.length, 1);
  });

  test('a batch that fails half-way is repeated as a whole, and what was in stays one job', async () => {
    let calls = 0;
    const memory = createIntakeMemory();
    const { send } = setUp({
      queue: {
        enqueueImage: (lane, job, options) => {
          calls += 1;
          return calls === 2 ? away() : memory.ports.queue.enqueueImage(lane, job, options);
        },
      },
    });
    const body = { events: [push('1', 'a'), push('2', 'b'), push('3', 'c')] };
    assert.equal((await send(source, body)).status, 503);
    assert.equal((await send(source, body)).status, 202);
    assert.deepEqual(memory.jobs.map(({ job }) => job.image.digest).sort(), ['a', 'b', 'c'].map(digest));
  });

  test('our own push is skipped by its repository in full', async () => {
    const { send, own, jobs } = setUp();
    own.add(`registry.example.com/team/app@${digest('a')}`);
    const other = push('2', 'a', {
      target: {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        repository: 'team/b',
        tag: '1',
        digest: digest('a'),
      },
    });
    const { body } = await send(source, { events: [push('1', 'a'), other] });
    const results = body.results as { status: string; reason?: string }[];
    assert.deepEqual(
      results.map(({ status, reason }) => reason ?? status),
      ['own-push', 'queued'],
    );
    assert.equal(jobs.length, 1);
  });

  test('beyond the rate jobs are delayed, none is lost, and it is told', async () => {
    const { send, jobs, observed } = setUp();
    const slow = { ...source, ratePerHour: 2 };
    for (const letter of ['a', 'b', 'c', 'd']) {
      assert.equal((await send(slow, { events: [push(letter, letter)] })).status, 202);
    }
    assert.deepEqual(
      jobs.map(({ delayMs }) => delayMs),
      [0, 0, 1_800_000, 3_600_000],
    );
    const alerts = observed.filter(({ kind }) => kind === 'rate-exceeded');
    assert.equal(alerts.length, 2);
    assert.equal(rateDelayMs(1_000_000, 1), 6 * 3_600_000);
  });

  test('a sender that repeats for ever gets 2xx for all that it cannot mend, and 401 for its credential', async () => {
    const { send, jobs, observed } = setUp();
    const deep = '['.repeat(100);
    for (const body of [
      '',
      'x',
      '{}',
      deep,
      'too-large',
      { events: [7] },
      { events: [] },
      { events: [push('1', 'A')] },
    ]) {
      const { status } = await send(source, body);
      assert.equal(status, 200, JSON.stringify(body));
    }
    const { status, headers } = await send(source, 'too-large', { authorization: 'Bearer x' });
    assert.deepEqual([status, headers['www-authenticate']], [401, 'Bearer']);
    assert.equal(jobs.length, 0);
    assert.equal(observed.filter(({ kind }) => kind === 'unauthenticated').length, 1);
  });

  test('a person gets the status and the reason', async () => {
    const { send } = setUp();
    const expected: [unknown, number, string | undefined][] = [
      ['x', 400, 'malformed'],
      ['too-large', 400, 'too-large'],
      [{}, 422, 'missing-field'],
      [{ image: 'app:1' }, 422, 'missing-host'],
      [{ image: 'evil.example/app:1' }, 422, 'host-not-allowed'],
      [{ image: 'registry.example.com/app@sha256:1' }, 422, 'invalid-digest'],
      [{ image: `registry.example.com/app:sha256-${'a'.repeat(64)}.sig` }, 200, undefined],
      [[{ image: 'registry.example.com/app:1' }, {}], 202, undefined],
    ];
    for (const [body, status, reason] of expected) {
      const answer = await send(api, body);
      assert.deepEqual([answer.status, answer.body.reason], [status, reason], JSON.stringify(body));
    }
    const avro = await send(api, 'x', { 'content-type': 'application/cloudevents+avro' });
    assert.equal(avro.status, 415);
  });

  test('an idempotency key makes the same request one; another image under it is another request', async () => {
    const { send, jobs } = setUp();
    const key = { 'idempotency-key': 'build-17' };
    const image = (letter: string) => ({ image: `registry.example.com/app@${digest(letter)}` });
    const api2 = { ...api, binding: { ...api.binding, digestOnly: 'enqueue' as const } };
    const statuses = [];
    for (const letter of ['a', 'a', 'b']) statuses.push((await send(api2, image(letter), key)).status);
    assert.deepEqual(statuses, [202, 200, 202]);
    assert.equal(jobs.length, 2);
  });

  test('what no worker could read is refused once instead of being repeated', async () => {
    const enqueueImage = async (): Promise<never> => {
      throw new AppError('job-malformed', 'the job is malformed');
    };
    const { send } = setUp({ queue: { enqueueImage } });
    assert.equal((await send(source, { events: [push('1', 'a')] })).status, 200);
  });

  test('a secret that cannot be read refuses, and asks to try again', async () => {
    const { send, jobs } = setUp();
    const tokens = (): never => {
      throw new AppError('config-invalid', 'the file is gone');
    };
    const broken: Source = { ...source, credential: { kind: 'bearer', bearers: [{ tokens }] } };
    assert.equal((await send(broken, { events: [push('1', 'a')] })).status, 503);
    assert.equal(jobs.length, 0);
  });
});
