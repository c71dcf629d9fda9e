import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hooksCommand } from '#cli/commands/hooks.ts';
import { readAssumption } from '#cli/hooks/assume.ts';
import { vocabulary } from '#cli/hooks/explain-delivery.ts';
import { readStoredRequest } from '#cli/hooks/stored-request.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import { adapterOf } from '#producer/webhooks/index.ts';
import { createIntakeMemory } from '../support/intake-memory.ts';
import { createTestProducer } from '../support/producer.ts';
import { readSample, type Sample, sampleNames } from './samples.ts';

/** Another folder of samples may be named; each sample of a sender that is not known fails. */
const folder = process.env.ATTESTRY_TEST_REGISTRY_EVENTS ?? join(import.meta.dirname, '../fixtures/registry-events');
const names = await sampleNames(folder);

describe('recorded deliveries through the HTTP app', () => {
  for (const name of names) test(name, async () => throughHttp(await readSample(folder, name)));
});

describe('recorded deliveries through `hooks parse`', () => {
  for (const name of names) test(name, async () => throughCommand(await readSample(folder, name)));
});

async function throughHttp({ files, body, expected }: Sample): Promise<void> {
  const adapter = adapterOf(expected.sender);
  assert.ok(adapter, `the sender ${expected.sender} is not known`);
  const request = readStoredRequest(JSON.parse(await readFile(files.headers, 'utf8')));
  const { binding, ownDigests } = readAssumption(expected.assume, adapter);
  const memory = createIntakeMemory({ ownPushes: { has: async (_repository, digest) => ownDigests.includes(digest) } });
  const source = {
    id: 'sample',
    adapter,
    binding,
    credential: request.credential ?? ({ kind: 'none' } as const),
    ratePerHour: 100,
    cause: 'push' as const,
  };
  const { app } = createTestProducer({ sources: [source], ports: memory.ports });
  const response = await app.inject({
    method: request.method as 'POST',
    url: '/hooks/sample',
    headers: request.headers,
    query: request.query,
    payload: body,
  });
  assert.ok(responds(response.statusCode, expected.response), `${response.statusCode} is not ${expected.response}`);
  for (const [name, value] of Object.entries(expected.responseHeaders ?? {})) {
    assert.equal(response.headers[name.toLowerCase()], value);
  }
  if (expected.responseBody) assert.deepEqual(response.json(), expected.responseBody);
  for (const text of expected.responseBodyMustNotContain ?? []) assert.ok(!response.body.includes(text), text);
  // No sender that is understood here makes the intake call anybody.
  assert.deepEqual(expected.outbound ?? [], []);
  const results: { from: string; status: string; reason?: string; job?: string }[] = response.json().results ?? [];
  const skipped =
    response.statusCode === 401
      ? [{ from: 'request', reason: response.json().reason }]
      : results.filter(({ status }) => status === 'skipped').map(({ from, reason }) => ({ from, reason }));
  assert.deepEqual(skipped, expected.skipped);
  const enqueued = results.filter(({ status }) => status === 'queued');
  assert.equal(memory.jobs.length, enqueued.length);
  assert.deepEqual(
    enqueued.map(({ from, job }) => {
      const image = memory.jobs.find(({ id }) => id === job)?.job.image as ImageRef | undefined;
      assert.ok(image);
      const { registry, repository, tag, digest } = image;
      return { from, registry, repository, tag: tag ?? null, digest: digest ?? null, ref: formatImageRef(image) };
    }),
    expected.enqueue,
  );
}

async function throughCommand({ files, expected }: Sample): Promise<void> {
  const out: string[] = [];
  const io = {
    stdout: (text: string) => void out.push(text),
    stderr: () => {},
    readFile: (path: string) => readFile(path),
    env: {},
  };
  const { headers, body, expected: assume } = files;
  const args = ['parse', expected.sender, '--headers', headers, '--body', body, '--assume', assume, '--json'];
  assert.equal(await hooksCommand(args, io), 0);
  const { sender, authentication, response, enqueue, skipped } = JSON.parse(out.join(''));
  assert.equal(sender, expected.sender);
  assert.equal(authentication, expectedAuthentication(expected.response, await readFile(headers, 'utf8')));
  assert.equal(response, expected.response);
  assert.deepEqual(enqueue, expected.enqueue);
  assert.deepEqual(skipped, expected.skipped);
}

function expectedAuthentication(response: string, headers: string): string {
  const { auth } = JSON.parse(headers);
  if (auth === undefined || auth.kind === 'none') return 'not-checked';
  return response === '401|403' ? 'failed' : 'ok';
}

function responds(status: number, wanted: string): boolean {
  return String(status) === wanted || vocabulary(status) === wanted;
}
