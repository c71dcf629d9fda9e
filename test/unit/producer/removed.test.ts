import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readAssumption } from '#cli/hooks/assume.ts';
import { evidenceTagTest } from '#model/evidence-tag.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import { Secret } from '#model/secret.ts';
import { decide } from '#producer/intake/decide.ts';
import { createIntake } from '#producer/intake/intake.ts';
import { bindRegistries, type Source } from '#producer/intake/source.ts';
import { TRIAL_HEADER } from '#producer/intake/trial.ts';
import { distribution } from '#producer/webhooks/adapters/distribution.ts';
import { adapterOf } from '#producer/webhooks/index.ts';
import { readSample } from '../../registry-events/samples.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';

const folder = join(import.meta.dirname, '../../fixtures/registry-events');

/** By the recorded delivery: what it says was removed, and who did it. */
const RECORDED = {
  'acr-delete': [
    'registry.example.com/team/app@sha256:398f25cf4430fc4a4bad1be3dc894c4c05af9caa526328dbbc218cef83e6c660',
  ],
  'acr-eventgrid-delete': [
    'registry.example.com/team/app@sha256:409991552efea42b02cfd01b524db275ecc9d0126223717bb9111b639cf829e0',
  ],
  'distribution-delete-manifest': [
    'registry.example.com/team/app@sha256:cd8d67a1d559ec169a7db59d2c8fe59d010efdbd7760047d5df204922eae5d7f',
    'ops',
  ],
  'distribution-delete-tag': ['registry.example.com/team/app:1.4.2', 'ops'],
  'ecr-eventbridge-delete': [
    '123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:7.0.0@sha256:b92df03c1724470612a7b7d66d533072d21a9f641504f04b9b774e051097ebf7',
  ],
  'gar-pubsub-delete-tag': ['us-docker.pkg.dev/example-project/example-repo/team/app:4.0.0'],
  'gitea-package-deleted': ['registry.example.com/example-org/app:1.0.0', 'ci-builder'],
  'gitlab-registry-delete-tag': ['registry.example.com/example-group/example-project/app:main', 'example-user'],
  'harbor-delete': [
    'registry.example.com/example/app:3.1.0@sha256:acc57bf5996a542914177fc98e6a6f9f8c4f6dabe2b0498dbda1f13ef5c16922',
    'robot$example+ci',
  ],
  'jfrog-docker-deleted': [
    'artifactory.example.com/docker-local/team/app:1.0.0@sha256:51563f89e9b20ef1f9ed6285966bbc47c8593ade0b767407805ba300c52da1ab',
    'ci-builder',
  ],
  'nexus-component-deleted': ['registry.example.com/team/app:1.0.0', 'ci-builder'],
  'zot-image-deleted': [
    'registry.example.com/team/app:1.0.0@sha256:4d0449262ad0c8b7f1b5f58a837775a34cdacc7be77ff8ffde6e2eab7c0a67c3',
    'ops',
  ],
} as const satisfies Record<string, readonly string[]>;

describe('what recorded deliveries say was removed', () => {
  for (const [name, [image, actor]] of Object.entries(RECORDED)) {
    test(name, async () => {
      const { files, body, expected } = await readSample(folder, name);
      const adapter = adapterOf(expected.sender) ?? assert.fail('no such sender');
      const { binding, settings } = readAssumption(expected.assume, adapter);
      const headers = await headersOf(files.headers);
      const items = adapter.events({ method: 'POST', headers, query: {}, body }, settings);
      const decisions = decide(items, binding, { ownPush: () => false, seen: () => false });
      const removed = decisions.flatMap((decision) => ('removed' in decision ? (decision.removed ?? []) : []));
      assert.deepEqual(
        removed.map((one) => [formatImageRef(one.image), ...(one.actor === undefined ? [] : [one.actor])]),
        [[image, ...(actor === undefined ? [] : [actor])]],
      );
    });
  }
});

async function headersOf(file: string | undefined): Promise<Readonly<Record<string, string>>> {
  const { headers = {} } = JSON.parse(file === undefined ? '{}' : await readFile(file, 'utf8'));
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

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
  ratePerHour: 2,
  cause: 'push',
};

async function told(to: Source, targets: readonly object[], more: Readonly<Record<string, string>> = {}) {
  const memory = createIntakeMemory();
  const intake = createIntake({
    ports: memory.ports,
    now: () => new Date('2026-03-02T10:15:31Z'),
    observe: () => {},
  });
  const events = targets.map((target, at) => ({
    id: `${at}`,
    action: 'delete',
    actor: { name: 'ops' },
    target: { repository: 'team/app', ...target },
  }));
  const { status, body } = await intake.receive(to, {
    method: 'POST',
    headers: { authorization: 'Bearer t', ...more },
    query: {},
    body: Buffer.from(JSON.stringify({ events })),
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  return { memory, status, body };
}

describe('what is said to be removed', () => {
  test('is skipped as ever, and the registry is asked soon', async () => {
    const { memory, status, body } = await told(source, [{ tag: '1.0' }]);
    assert.equal(status, 200);
    const results = body.results as readonly { readonly status: string; readonly reason?: string }[];
    assert.deepEqual(
      results.map((one) => [one.status, one.reason]),
      [['skipped', 'delete']],
    );
    assert.deepEqual(memory.jobs, []);
    const [{ job, delayMs } = assert.fail('nothing is asked')] = memory.looks;
    const { kind, cause, image, actor, unproven } = job;
    assert.deepEqual(
      { kind, cause, actor, unproven },
      { kind: 'look', cause: 'removed', actor: 'ops', unproven: undefined },
    );
    assert.equal(formatImageRef(image as ImageRef), 'registry.example.com/team/app:1.0');
    assert.equal(delayMs, 1000);
  });

  test('by an open door is marked as what anybody may have said', async () => {
    const { memory } = await told({ ...source, credential: { kind: 'none' } }, [{ tag: '1.0' }]);
    const [{ job } = assert.fail('nothing is asked')] = memory.looks;
    assert.deepEqual([job.unproven, job.actor], [true, undefined]);
  });

  for (const [what, target] of Object.entries({
    'a layer': { mediaType: 'application/octet-stream', digest: `sha256:${'a'.repeat(64)}` },
    'a whole repository': {},
    'a name that is none': { repository: 'Team/App', tag: '1.0' },
    'a digest that is none': { digest: 'sha256:abc' },
    'an image of another registry': { url: 'https://elsewhere.example.com/v2/x', tag: '1.0' },
  })) {
    test(`${what} is asked of nobody`, async () => {
      const { memory, status } = await told(source, [target]);
      assert.deepEqual([status, memory.looks], [200, []]);
    });
  }

  test('in a trial nothing is asked', async () => {
    assert.deepEqual((await told(source, [{ tag: '1.0' }], { [TRIAL_HEADER]: '1' })).memory.looks, []);
  });

  test('beyond the rate the registry is asked later, and pushes are not counted with it', async () => {
    const { memory } = await told(source, [{ tag: '1' }, { tag: '2' }, { tag: '3' }]);
    const delays = memory.looks.map(({ delayMs }) => delayMs).sort((a, b) => a - b);
    assert.deepEqual(delays.slice(0, 2), [1000, 1000]);
    assert.ok((delays[2] ?? 0) > 1000);
    assert.equal(await memory.ports.rate.count('registry.example.com/team/app'), 1);
  });
});
