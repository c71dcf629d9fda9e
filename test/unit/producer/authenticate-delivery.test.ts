import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { evidenceTagTest } from '#model/evidence-tag.ts';
import { Secret } from '#model/secret.ts';
import { createAuthenticator } from '#producer/intake/authenticate-delivery.ts';
import type { Credential } from '#producer/intake/credential.ts';
import { bindRegistries } from '#producer/intake/source.ts';
import type { Delivery, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { acrEventgrid } from '#producer/webhooks/adapters/acr-eventgrid.ts';
import { artifactory } from '#producer/webhooks/adapters/artifactory.ts';
import { gitea } from '#producer/webhooks/adapters/gitea.ts';
import { github } from '#producer/webhooks/adapters/github.ts';
import { nexus } from '#producer/webhooks/adapters/nexus.ts';
import { quay } from '#producer/webhooks/adapters/quay.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';
import { createTestProducer } from '../../support/producer.ts';

const secrets =
  (...values: string[]) =>
  () =>
    values.map((value) => new Secret(value, 'env:X'));
const { outbound } = createIntakeMemory().ports;
const authenticator = createAuthenticator(outbound, () => new Date(0));
const hmac = (text: string, key: string, algorithm = 'sha256') => createHmac(algorithm, key).update(text).digest('hex');

function request(body: string, headers: Record<string, string> = {}, query: Record<string, string> = {}): Delivery {
  return { method: 'POST', headers, query, body: Buffer.from(body) };
}

async function holds(adapter: WebhookAdapter, credential: Credential, delivery: Delivery): Promise<boolean> {
  return (await authenticator.authenticate({ adapter, credential }, delivery)).ok;
}

function signed(adapter: WebhookAdapter, ...keys: string[]): Credential {
  assert.ok(adapter.signature);
  return { kind: 'hmac', rule: adapter.signature, secrets: secrets(...keys) };
}

describe('signatures with a shared secret', () => {
  test('any of the secrets counts, over the bytes as sent', async () => {
    const credential = signed(github, 'new', 'old');
    for (const key of ['new', 'old']) {
      const header = { 'x-hub-signature-256': `sha256=${hmac('{ }', key)}` };
      assert.equal(await holds(github, credential, request('{ }', header)), true, key);
      assert.equal(await holds(github, credential, request('{}', header)), false, key);
    }
    const other = { 'x-hub-signature-256': `sha256=${hmac('{}', 'other')}` };
    assert.equal(await holds(github, credential, request('{}', other)), false);
  });

  test('a signature that is absent, empty, cut, or of another form is none', async () => {
    const good = hmac('{}', 'k');
    const values = ['', 'sha256=', 'sha256', good, `sha1=${good}`, `sha256=${good.slice(2)}`, `sha256=${good}00`];
    for (const value of [...values, `sha256=${'z'.repeat(64)}`]) {
      const delivery = request('{}', { 'x-hub-signature-256': value });
      assert.equal(await holds(github, signed(github, 'k'), delivery), false, value);
    }
    assert.equal(await holds(github, signed(github, 'k'), request('{}')), false);
    const ofSha1 = request('{}', { 'x-hub-signature': `sha1=${hmac('{}', 'k', 'sha1')}` });
    assert.equal(await holds(github, signed(github, 'k'), ofSha1), false);
  });

  test('an empty secret signs nothing', async () => {
    const delivery = request('{}', { 'x-hub-signature-256': `sha256=${hmac('{}', '')}` });
    assert.equal(await holds(github, signed(github, ''), delivery), false);
  });

  test("a form is signed whole by GitHub, and its payload by Gitea; Nexus' JSON may have lost its whitespace", async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `payload=${encodeURIComponent('{"a": 1}')}`;
    const header = (text: string) => ({ ...form, 'x-hub-signature-256': `sha256=${hmac(text, 'k')}` });
    assert.equal(await holds(github, signed(github, 'k'), request(body, header(body))), true);
    assert.equal(await holds(github, signed(github, 'k'), request(body, header('{"a": 1}'))), false);
    assert.equal(await holds(gitea, signed(gitea, 'k'), request(body, header('{"a": 1}'))), true);
    assert.equal(await holds(gitea, signed(gitea, 'k'), request(body, header(body))), false);
    const compact = { 'x-nexus-webhook-signature': hmac('{"a":1}', 'k', 'sha1') };
    assert.equal(await holds(nexus, signed(nexus, 'k'), request('{ "a": 1 }', compact)), true);
    assert.equal(await holds(nexus, signed(nexus, 'k'), request('{ "a": 2 }', compact)), false);
  });

  test("one mode of Artifactory's header is never taken for the other", async () => {
    const signature = hmac('{}', 'k');
    const asToken: Credential = { kind: 'static-header', header: 'X-JFrog-Event-Auth', values: secrets('k') };
    const header = (value: string) => request('{}', { 'x-jfrog-event-auth': value });
    assert.equal(await holds(artifactory, asToken, header(signature)), false);
    assert.equal(await holds(artifactory, asToken, header('k')), true);
    assert.equal(await holds(artifactory, signed(artifactory, 'k'), header('k')), false);
    assert.equal(await holds(artifactory, signed(artifactory, 'k'), header(signature)), true);
  });

  test('a body that was too large to keep cannot be checked, and is refused', async () => {
    const credential = signed(github, 'k');
    const presented = { ...request(''), body: 'too-large' as const };
    assert.deepEqual(await authenticator.authenticate({ adapter: github, credential }, presented), { ok: false });
  });
});

const binding = {
  ...bindRegistries([{ id: 'main', name: 'registry.example.com', hosts: [] }]),
  registry: 'registry.example.com',
  digestOnly: 'skip' as const,
  isAttestationTag: evidenceTagTest(),
  isIgnoredActor: () => false,
};

describe('a secret in the address', () => {
  const credential: Credential = { kind: 'query-token', parameter: 'token', values: secrets('new', 'old') };

  test('one of two counts; none, an empty, a wrong and one under another name do not', async () => {
    for (const token of ['new', 'old']) assert.equal(await holds(quay, credential, request('{}', {}, { token })), true);
    for (const query of [{}, { token: '' }, { token: 'ne' }, { other: 'new' }, { Token: 'new' }]) {
      assert.equal(await holds(quay, credential, request('{}', {}, query as Record<string, string>)), false);
    }
    const empty: Credential = { ...credential, values: secrets('') };
    assert.equal(await holds(quay, empty, request('{}', {}, { token: '' })), false);
  });

  test('it is in no log line and no answer, whether it is right or wrong', async () => {
    const source = { id: 'quay', adapter: quay, credential, binding, ratePerHour: 9, cause: 'push' as const };
    const { app, lines, observed } = createTestProducer({ sources: [source], ports: createIntakeMemory().ports });
    const payload = { repository: 'team/app', docker_url: 'registry.example.com/team/app', updated_tags: ['1'] };
    const post = (token: string) => app.inject({ method: 'POST', url: `/hooks/quay?token=${token}`, payload });
    const good = await post('old');
    assert.equal(good.statusCode, 202);
    const bad = await post('hunter2');
    assert.equal(bad.statusCode, 401);
    // Of a repeated parameter the first one counts.
    assert.equal((await post('hunter2&token=old')).statusCode, 401);
    const told = [...lines, JSON.stringify(observed), good.body, bad.body].join('\n');
    assert.doesNotMatch(told, /hunter2|token=|"old"/);
  });
});

describe('Event Grid', () => {
  const topic = '/subscriptions/a/resourceGroups/b/providers/Microsoft.ContainerRegistry/registries/ours';
  const source = {
    id: 'azure',
    adapter: acrEventgrid,
    credential: { kind: 'query-token', parameter: 'code', values: secrets('k') } as const,
    binding,
    settings: { topic },
    ratePerHour: 9,
    cause: 'push' as const,
  };
  const validation = (of: string) => ({
    id: '1',
    topic: of,
    eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
    data: { validationCode: 'c', validationUrl: 'https://attacker.example/' },
  });
  const { app } = createTestProducer({ sources: [source], ports: createIntakeMemory().ports });
  const post = (code: string, payload: object) =>
    app.inject({ method: 'POST', url: `/hooks/azure?code=${code}`, payload });

  test('a handshake is answered for our registry and the right secret alone', async () => {
    const good = await post('k', [validation(topic.toUpperCase())]);
    assert.deepEqual([good.statusCode, good.json()], [200, { validationResponse: 'c' }]);
    for (const answer of [await post('k', [validation(`${topic}x`)]), await post('x', [validation(topic)])]) {
      assert.equal(answer.statusCode, 403);
      assert.doesNotMatch(answer.body, /validationResponse/);
    }
  });

  test('an event of another registry in a batch does not cost ours', async () => {
    const target = { repository: 'team/app', tag: '1', digest: `sha256:${'a'.repeat(64)}` };
    const pushed = (of: string) => ({
      id: of,
      topic: of,
      eventType: 'Microsoft.ContainerRegistry.ImagePushed',
      data: { action: 'push', target },
    });
    const answer = await post('k', [pushed('/other'), pushed(topic)]);
    assert.equal(answer.statusCode, 202);
    const results: { reason?: string }[] = answer.json().results;
    assert.deepEqual(
      results.map(({ reason }) => reason),
      ['unauthenticated', undefined],
    );
    assert.equal((await post('k', [pushed('/other')])).statusCode, 403);
  });

  test('consent is given to known origins with the secret, and no other sender is asked for it', async () => {
    const ask = (url: string, origin: string) => {
      return app.inject({ method: 'OPTIONS', url, headers: { 'webhook-request-origin': origin } });
    };
    const good = await ask('/hooks/azure?code=k', 'eventgrid.azure.net');
    assert.deepEqual([good.statusCode, good.body], [200, '']);
    assert.equal(good.headers['webhook-allowed-origin'], 'eventgrid.azure.net');
    assert.equal(good.headers['webhook-allowed-rate'], '*');
    const refused = [
      await ask('/hooks/azure?code=k', 'attacker.example'),
      await ask('/hooks/azure?code=x', 'eventgrid.azure.net'),
    ];
    for (const answer of refused) {
      assert.equal(answer.statusCode, 403);
      assert.equal(answer.headers['webhook-allowed-origin'], undefined);
    }
    const other = { ...source, id: 'quay', adapter: quay, credential: { kind: 'none' } as const };
    const quiet = createTestProducer({ sources: [other], ports: createIntakeMemory().ports }).app;
    assert.equal((await quiet.inject({ method: 'OPTIONS', url: '/hooks/quay' })).statusCode, 404);
  });
});
