import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { evidenceTagTest } from '#model/evidence-tag.ts';
import { Secret } from '#model/secret.ts';
import type { Answer } from '#producer/intake/answer.ts';
import { createIntake } from '#producer/intake/intake.ts';
import type { IntakePorts } from '#producer/intake/ports.ts';
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

function push(id: string, letter: string, change: object = {}): object {
  const target = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    repository: 'team/app',
    tag: '1',
    digest: digest(letter),
  };
  return { id, action: 'push', target, actor: { name: 'ci' }, ...change };
}

function setUp(overrides: Partial<IntakePorts> = {}) {
  const memory = createIntakeMemory(overrides);
  const intake = createIntake({
    ports: memory.ports,
    now: () => new Date('2026-03-02T10:15:31Z'),
    observe: () => undefined,
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
  return { ...memory, send };
}

describe('what is believed of a delivery', () => {
  test('an actor is believed as it is written and from an authenticated source, or not at all', async () => {
    const { send, jobs } = setUp();
    await send({ ...source, credential: { kind: 'none' } }, { events: [push('1', 'a')] });
    await send(source, { events: [push('2', 'b', { actor: { name: 'ci\nroot' } })] });
    // Without the invisible character it would be the name of somebody else.
    await send(source, { events: [push('3', 'c', { actor: { name: 'c\u200bi' } })] });
    await send(source, { events: [push('4', 'd')] });
    assert.deepEqual(
      jobs.map(({ job }) => job.actor),
      [undefined, undefined, undefined, 'ci'],
    );
  });

  test("what is not the registry's own word is marked: anyone's request, and any CI's", async () => {
    const { send, jobs } = setUp();
    await send(source, { events: [push('1', 'a')] });
    await send({ ...source, credential: { kind: 'none' } }, { events: [push('2', 'b')] });
    await send(api, { image: `registry.example.com/team/app:1@${digest('c')}` });
    assert.deepEqual(
      jobs.map(({ job }) => job.unproven),
      [undefined, true, true],
    );
  });

  test("the id of an event counts only as the sender's own: a stranger cannot use up that of a push to come", async () => {
    const open = { ...source, credential: { kind: 'none' } } as const;
    const delivery = { events: [push('1', 'a')] };
    const statusOf = async (to: Source, { send }: ReturnType<typeof setUp>) =>
      ((await send(to, delivery)).body.results as { reason?: string }[])[0]?.reason;
    const closed = setUp();
    assert.equal(await statusOf(source, closed), undefined);
    assert.equal(await statusOf(source, closed), 'duplicate');
    const stranger = setUp();
    assert.equal(await statusOf(open, stranger), undefined);
    stranger.jobs.length = 0;
    assert.equal(await statusOf(open, stranger), undefined);
    assert.equal(stranger.jobs.length, 1);
    assert.equal(stranger.remembered.size, 0);
  });

  test('one image under two tags of one request is one job that hears of both', async () => {
    const heard: (string | undefined)[] = [];
    const memory = createIntakeMemory();
    const { send } = setUp({
      queue: {
        enqueueImage: (lane, job, options) => {
          heard.push(job.image.tag);
          return memory.ports.queue.enqueueImage(lane, job, options);
        },
      },
    });
    const image = (tag: string) => ({ image: `registry.example.com/team/app:${tag}@${digest('a')}` });
    const answer = await send(api, [image('latest'), image('v1'), image('v1')], { 'idempotency-key': 'build-7' });
    const results = answer.body.results as { status: string; reason?: string }[];
    assert.deepEqual(
      results.map(({ status, reason }) => reason ?? status),
      ['queued', 'duplicate', 'duplicate'],
    );
    assert.deepEqual(heard.toSorted(), ['latest', 'v1']);
    assert.equal(memory.jobs.length, 1);
  });

  test('a name is its own registry, whoever else is dialled there', () => {
    const { registryOf } = bindRegistries([
      { id: 'public', name: 'registry.example.com', hosts: ['registry.example.com'] },
      { id: 'inner', name: 'inner.example.com', hosts: ['inner.example.com', 'registry.example.com', 'hub'] },
    ]);
    assert.equal(registryOf('registry.example.com'), 'registry.example.com');
    assert.equal(registryOf('HUB'), 'inner.example.com');
  });
});
