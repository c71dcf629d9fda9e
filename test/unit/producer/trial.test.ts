import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIntake } from '#producer/intake/intake.ts';
import type { IntakeObservation } from '#producer/intake/observation.ts';
import { boundRegistries, mountSource } from '#producer/intake/source.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';
import { secretsFrom } from '../../support/producer.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function door() {
  const memory = createIntakeMemory();
  const observed: IntakeObservation[] = [];
  const intake = createIntake({
    ports: memory.ports,
    now: () => new Date('2026-03-02T10:15:31Z'),
    observe: (observation) => void observed.push(observation),
  });
  const source = mountSource(
    {
      id: 'hub',
      sender: 'distribution',
      registries: ['main'],
      auth: { kind: 'bearer', secrets: ['env:TOKEN'] },
      digestOnly: 'skip',
      attestationTagSuffixes: [],
      ignoreActors: [],
      ratePerHour: 1,
    },
    boundRegistries([{ id: 'main', name: 'registry.example.com', aliases: [] }]),
    secretsFrom({ TOKEN: 'the-token' }),
  );
  const events = ['1.0', `sha256-${'a'.repeat(64)}.sig`].map((tag) => ({
    id: `id-${tag}`,
    action: 'push',
    target: {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      repository: 'team/app',
      digest: DIGEST,
      tag,
      url: `https://registry.example.com/v2/team/app/manifests/${DIGEST}`,
    },
    request: { host: 'registry.example.com' },
  }));
  const request = (headers: Record<string, string>) => ({
    method: 'POST',
    headers: { authorization: 'Bearer the-token', ...headers },
    query: {},
    body: Buffer.from(JSON.stringify({ events })),
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  return { ...memory, observed, intake, source, request };
}

test('a trial is judged and has no effect at all', async () => {
  const { intake, source, request, jobs, remembered, evidence, observed } = door();
  const answer = await intake.receive(source, request({ 'attestry-trial': 'true' }));
  assert.equal(answer.status, 202);
  assert.deepEqual(answer.body, {
    trial: true,
    results: [
      { from: 'events[0]', status: 'not-enqueued', image: `registry.example.com/team/app:1.0@${DIGEST}` },
      {
        from: 'events[1]',
        status: 'skipped',
        reason: 'attestation-tag',
        message: 'the tag is that of a signature, attestation or referrers index',
      },
    ],
  });
  assert.deepEqual([jobs.length, remembered.size, evidence.length], [0, 0, 0]);
  assert.deepEqual(observed, [{ kind: 'tried', source: 'hub', items: 2 }]);
  // The same delivery afterwards is no repetition.
  const real = await intake.receive(source, request({}));
  assert.equal(real.status, 202);
  assert.equal(jobs.length, 1);
});

test('a trial is no way around the credential', async () => {
  const { intake, source, request, jobs } = door();
  const answer = await intake.receive(source, request({ 'attestry-trial': 'true', authorization: 'Bearer wrong' }));
  assert.equal(answer.status, 401);
  assert.deepEqual(answer.body, { reason: 'unauthenticated', message: 'missing or wrong credential' });
  assert.equal(jobs.length, 0);
});

test('what was kept is taken again without its credential, and twice is one job', async () => {
  const { intake, source, request, jobs } = door();
  const first = await intake.replay(source, request({ authorization: 'Bearer [redacted]' }));
  assert.equal(first.status, 202);
  assert.equal(jobs.length, 1);
  const again = await intake.replay(source, request({}));
  const [result] = again.body.results as readonly { status: string; reason?: string }[];
  assert.deepEqual([result?.status, result?.reason], ['skipped', 'duplicate']);
  assert.equal(jobs.length, 1);
});
