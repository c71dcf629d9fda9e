import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createIntakeOutbound, outboundHosts } from '#compose/intake-outbound.ts';
import { createHttpClient } from '#http/undici-client.ts';
import { SourceOptions } from '#producer/intake/options.ts';
import { boundRegistries, mountSource, type Source } from '#producer/intake/source.ts';
import { startHttpReceiver } from '../../support/http-receiver.ts';
import { secretsFrom } from '../../support/producer.ts';

const registries = boundRegistries([
  { id: 'main', name: 'registry.example.com', aliases: [] },
  { id: 'other', name: 'nexus.example.com:8082', aliases: [] },
]);
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:ecr-push';

function mounted(given: object): Source {
  const options = SourceOptions.parse({ id: 's', ...given });
  return mountSource(options, registries, secretsFrom({ A: 'a', B: 'b' }));
}

/** `path: mend or message` of the first complaint of the schema. */
function complaint(given: object): string {
  const issue = SourceOptions.safeParse({ id: 's', registry: 'main', ...given }).error?.issues[0];
  const mend = issue?.code === 'custom' ? String(issue.params?.mend) : issue?.message;
  return `${issue?.path.join('.')}: ${mend}`;
}

describe('mounting senders', () => {
  test('the sender says what is signed, the configuration by whom', () => {
    const { credential } = mounted({ sender: 'github', registry: 'main', auth: { hmac: ['env:A', 'env:B'] } });
    assert.ok(credential.kind === 'hmac');
    assert.equal(credential.rule.header, 'x-hub-signature-256');
    assert.deepEqual(
      credential.secrets().map((secret) => secret.reveal()),
      ['a', 'b'],
    );
  });

  test('ways that a sender cannot use are refused with those that it can', () => {
    assert.match(complaint({ sender: 'github', auth: { bearer: 'env:A' } }), /^auth: /);
    assert.match(complaint({ sender: 'github', auth: 'none' }), /^auth: /);
    assert.equal(
      complaint({ sender: 'artifactory', auth: {} }),
      'auth: write exactly one of: hmac, or header with value',
    );
    assert.match(
      complaint({ sender: 'gar', registry: undefined, registries: 'main', auth: { audience: 'a' } }),
      /audience with email/,
    );
    assert.match(
      complaint({ sender: 'acr-eventgrid', auth: { query: { parameter: 'c', value: 'env:A' } } }),
      /^topic: /,
    );
    assert.match(
      complaint({ sender: 'ecr-sns', registry: undefined, registries: 'main', auth: { topicArn: 'ecr-push' } }),
      /not the ARN of a topic/,
    );
    const queue = 'https://sqs.eu-west-1.amazonaws.com/123456789012/pushes';
    const sqs = { sender: 'ecr-sqs', registry: undefined, registries: 'main' };
    assert.match(complaint({ ...sqs, queue: `${queue}.fifo` }), /^queue: not the URL of a standard queue/);
    assert.match(complaint({ ...sqs, queue, registry: 'main' }), /Unrecognized key|registry/);
    const nats = { sender: 'zot-nats', servers: 'nats://nats.example.com', subject: 'zot.events' };
    assert.match(complaint({ ...nats, servers: 'nats://me:secret@nats.example.com' }), /^servers/);
    assert.match(complaint({ ...nats, username: 'zot' }), /write username with password, or token/);
    assert.match(
      complaint({ ...nats, token: 'env:A', credentials: 'env:B' }),
      /write username with password, or token/,
    );
    assert.deepEqual(mounted({ ...nats, registry: 'main' }).credential, { kind: 'pulled' });
  });

  test("a repository of Nexus leads to one of the source's registries", () => {
    const nexus = { sender: 'nexus', registries: ['main', 'other'], auth: { hmac: 'env:A' } };
    const repositories = { hosted: 'nexus.example.com:8082', shared: 'registry.example.com/shared' };
    assert.deepEqual(mounted({ ...nexus, repositories }).settings, { repositories });
    assert.throws(() => mounted({ ...nexus, repositories: { hosted: 'evil.example' } }), {
      code: 'config-invalid',
      field: 'sources.s.repositories.hosted',
    });
  });

  test('a name that payloads have for a repository is replaced by the one that references have', () => {
    const { binding } = mounted({
      sender: 'alibaba',
      registry: 'main',
      auth: 'none',
      repositories: { 'Team/App': 'team/app' },
    });
    assert.deepEqual(binding.repositories, { 'Team/App': 'team/app' });
  });
});

describe('what the intake may fetch', () => {
  test('the hosts are those that the settings imply', () => {
    const sources = [
      mounted({ sender: 'ecr-sns', registries: 'main', auth: { topicArn: TOPIC } }),
      mounted({ sender: 'gar', registries: 'main', auth: { audience: 'https://a.example', email: 'a@b.example' } }),
      mounted({ sender: 'quay', registry: 'main', auth: 'none' }),
    ];
    assert.deepEqual(outboundHosts(sources.map(({ credential }) => credential)), [
      'sns.eu-west-1.amazonaws.com:443',
      'www.googleapis.com:443',
    ]);
  });

  test('only a 200 counts, a redirect is not followed, and another host is not reached', async () => {
    await using receiver = await startHttpReceiver();
    const client = createHttpClient({ allowedHosts: [receiver.host], userAgent: 'test' });
    try {
      const outbound = createIntakeOutbound(client);
      const url = new URL(receiver.url);
      receiver.answer({ status: 200, body: 'key' });
      assert.equal(Buffer.from(await outbound.get(url)).toString(), 'key');
      for (const status of [302, 404, 500]) {
        receiver.answer({ status, headers: { location: '/elsewhere' } });
        await assert.rejects(outbound.get(url), { code: 'network' });
      }
      assert.deepEqual(
        receiver.received.map(({ path }) => path),
        ['/', '/', '/', '/'],
      );
      await assert.rejects(outbound.get(new URL('http://127.0.0.1:1/')), { code: 'host-not-allowed' });
    } finally {
      await client.close();
    }
  });
});
