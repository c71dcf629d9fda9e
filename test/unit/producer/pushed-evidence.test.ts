import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Digest } from '#model/digest.ts';
import { evidenceTagTest } from '#model/evidence-tag.ts';
import { Secret } from '#model/secret.ts';
import { createIntake } from '#producer/intake/intake.ts';
import { pushedEvidence } from '#producer/intake/pushed-evidence.ts';
import { bindRegistries, type Source } from '#producer/intake/source.ts';
import { distribution } from '#producer/webhooks/adapters/distribution.ts';
import { generic } from '#producer/webhooks/adapters/generic.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';

const SUBJECT: Digest = `sha256:${'a'.repeat(64)}`;
const LIST: Digest = `sha256:${'b'.repeat(64)}`;
const TAG = `sha256-${'a'.repeat(64)}`;
const location = { registry: 'registry.example.com', repository: 'team/app', digest: SUBJECT };

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

async function told(to: Source, tags: readonly string[], mayBeLost: boolean) {
  const memory = createIntakeMemory({}, mayBeLost);
  const intake = createIntake({
    ports: memory.ports,
    now: () => new Date('2026-03-02T10:15:31Z'),
    observe: () => {},
  });
  const target = { mediaType: 'application/vnd.oci.image.manifest.v1+json', repository: 'team/app', digest: LIST };
  const events = tags.map((tag, at) => ({ id: `${at}`, action: 'push', target: { ...target, tag } }));
  const { status, body } = await intake.receive(to, {
    method: 'POST',
    headers: { authorization: 'Bearer t' },
    query: {},
    body: Buffer.from(JSON.stringify({ events })),
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  return { memory, status, body };
}

describe('a push to a tag that lists evidence', () => {
  test('is skipped as ever, noted in the order of the events, and looked at soon where something may be lost', async () => {
    const { memory, status } = await told(source, [`${TAG}.att`, `${TAG}.sig`, TAG], true);
    assert.equal(status, 200);
    assert.deepEqual(
      memory.evidence.map(({ tag, push }) => [tag, push.id]),
      [
        [`${TAG}.att`, '0'],
        [`${TAG}.sig`, '1'],
        [TAG, '2'],
      ],
    );
    const [{ job, delayMs } = assert.fail('no job'), ...others] = memory.jobs;
    assert.deepEqual([job.kind, job.cause, job.image, job.source], ['mend', 'evidence-pushed', location, 'hub']);
    assert.ok(delayMs > 0);
    assert.deepEqual(others, []);
  });

  test('is only noted where nothing can be lost', async () => {
    const { memory } = await told(source, [`${TAG}.att`], false);
    assert.equal(memory.evidence.length, 1);
    assert.deepEqual(memory.jobs, []);
  });

  for (const [who, other] of [
    ['a sender that nobody vouches for', { credential: { kind: 'none' } }],
    ['a sender that is not the registry', { adapter: generic }],
  ] as const) {
    test(`is not believed from ${who}`, async () => {
      const { memory } = await told({ ...source, ...other } as Source, [`${TAG}.att`], true);
      assert.deepEqual([memory.evidence, memory.jobs], [[], []]);
    });
  }
});

for (const [what, tag, digest, reason] of [
  ['an image', 'v1', LIST, 'own-push'],
  ['an unsigned SBOM', `${TAG}.sbom`, LIST, 'attestation-tag'],
  ['a digest of another algorithm', `sha512-${'a'.repeat(64)}.att`, LIST, 'attestation-tag'],
  ['a push that names no digest', `${TAG}.att`, undefined, 'attestation-tag'],
  ['what is refused for another reason', `${TAG}.att`, LIST, 'duplicate'],
] as const) {
  test(`${what} lists no evidence`, () => {
    const image = { registry: 'r', repository: 'a', tag, ...(digest ? { digest } : {}) };
    assert.equal(pushedEvidence({ image, event: { id: '1' } }, reason), undefined);
  });
}
