import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hooksCommand } from '#cli/commands/hooks.ts';
import { readAssumption } from '#cli/hooks/assume.ts';
import { responseOf, vocabulary } from '#cli/hooks/explain-delivery.ts';
import { NO_REQUEST, readStoredRequest, type StoredRequest } from '#cli/hooks/stored-request.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
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
  const request = await storedRequest(files.headers, adapter);
  const { binding, settings, credential, ownDigests } = readAssumption(expected.assume, adapter);
  const asked: URL[] = [];
  const memory = createIntakeMemory({
    ownPushes: { has: async (_repository, digest) => ownDigests.includes(digest) },
    outbound: {
      async get(url) {
        const file = request.fetched[url.href];
        if (file !== undefined) return await readFile(join(folder, file));
        asked.push(url);
        return new Uint8Array();
      },
    },
  });
  const source = {
    id: 'sample',
    adapter,
    binding,
    settings,
    credential: credential(request.credential ?? { kind: 'none' }),
    ratePerHour: 100,
    cause: 'push' as const,
  };
  const now = () => new Date(request.clock ?? '2026-03-02T10:15:31Z');
  const { app, observed } = createTestProducer({ sources: [source], ports: memory.ports, now });
  const response = await app.inject({
    method: request.method as 'POST',
    url: '/hooks/sample',
    headers: request.headers,
    query: request.query,
    payload: body,
  });
  const answered = adapter.transport === 'pull' ? responseOf(adapter, response.statusCode) : undefined;
  assert.ok(
    answered === expected.response || responds(response.statusCode, expected.response),
    `${response.statusCode} is not ${expected.response}`,
  );
  for (const [name, value] of Object.entries(expected.responseHeaders ?? {})) {
    assert.equal(response.headers[name.toLowerCase()], value);
  }
  if (expected.responseBody) assert.deepEqual(response.json(), expected.responseBody);
  for (const text of expected.responseBodyMustNotContain ?? []) assert.ok(!response.body.includes(text), text);
  assert.deepEqual(
    asked.map((url) => nameOf(url, body)),
    expected.outbound ?? [],
  );
  const skipped = observed.flatMap((one) => {
    if (one.kind === 'unauthenticated') return [{ from: 'request', reason: 'unauthenticated' }];
    return one.kind === 'skipped' ? [{ from: one.from, reason: one.reason }] : [];
  });
  assert.deepEqual(skipped, expected.skipped);
  const results: { from: string; status: string; job?: string }[] = response.body
    ? (response.json().results ?? [])
    : [];
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

async function storedRequest(path: string | undefined, adapter: WebhookAdapter): Promise<StoredRequest> {
  if (path === undefined) return NO_REQUEST;
  return readStoredRequest(JSON.parse(await readFile(path, 'utf8')), adapter);
}

/** `GET <member>`: a request is named by the member of the body that holds its URL. */
function nameOf(url: URL, body: Buffer): string {
  const members = Object.entries(JSON.parse(body.toString('utf8')) as Record<string, unknown>);
  const [name] = members.find(([, value]) => typeof value === 'string' && URL.parse(value)?.href === url.href) ?? [];
  return `GET ${name ?? url.href}`;
}

async function throughCommand({ files, expected }: Sample): Promise<void> {
  const out: string[] = [];
  const io = {
    stdout: (text: string) => void out.push(text),
    stderr: () => {},
    readFile: (path: string) => readFile(path),
    env: {},
    now: () => new Date('2026-03-02T10:15:31Z'),
    signal: new AbortController().signal,
    interactive: false,
  };
  const { headers, body, expected: assume } = files;
  const request = headers === undefined ? [] : ['--headers', headers];
  const bytes = body === undefined ? [] : ['--body', body];
  const args = ['parse', expected.sender, ...request, ...bytes, '--assume', assume, '--json'];
  assert.equal(await hooksCommand(args, io), 0);
  const explained = JSON.parse(out.join(''));
  const { sender, authentication, response, enqueue, skipped } = explained;
  assert.equal(sender, expected.sender);
  assert.equal(
    authentication,
    expectedAuthentication(expected.response, headers === undefined ? '{}' : await readFile(headers, 'utf8')),
  );
  assert.equal(response, expected.response);
  assert.deepEqual(enqueue, expected.enqueue);
  assert.deepEqual(skipped, expected.skipped);
  if (expected.responseHeaders) assert.deepEqual(explained.responseHeaders, expected.responseHeaders);
  if (expected.responseBody) assert.deepEqual(explained.responseBody, expected.responseBody);
  assert.deepEqual(explained.outbound ?? [], expected.outbound ?? []);
}

function expectedAuthentication(response: string, headers: string): string {
  const { auth } = JSON.parse(headers);
  if (auth === undefined || auth.kind === 'none') return 'not-checked';
  return response === '401|403' ? 'failed' : 'ok';
}

function responds(status: number, wanted: string): boolean {
  return String(status) === wanted || vocabulary(status) === wanted;
}
