import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { createSnsCheck } from '#producer/intake/authenticate-sns.ts';
import { ecrSns } from '#producer/webhooks/adapters/ecr-sns.ts';
import { snsUrl } from '#producer/webhooks/sns-message.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/registry-events');
const CERTIFICATE = readFileSync(join(FIXTURES, 'keys/sns-test-cert.pem'));
const TOPIC = 'arn:aws:sns:us-east-1:123456789012:ecr-push';
const NOW = '2026-03-02T10:15:31Z';

function message(name: string, change: object = {}): Buffer {
  const original = JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8'));
  return Buffer.from(JSON.stringify({ ...original, ...change }));
}

/** Gives the true certificate for whatever is asked, so that only what is checked before the fetch can refuse. */
function setUp(answer: () => Promise<Uint8Array> = async () => CERTIFICATE) {
  const asked: string[] = [];
  const check = createSnsCheck({
    get(url) {
      asked.push(url.href);
      return answer();
    },
  });
  const holds = (body: Uint8Array, now = NOW, topicArns = [TOPIC]) =>
    check.isGenuine({ kind: 'sns-signature', topicArns }, body, new Date(now));
  return { asked, holds };
}

describe('messages of SNS', () => {
  test('every kind and both versions of the signature hold, and the certificate is fetched once', async () => {
    const { asked, holds } = setUp();
    for (const name of ['notification', 'notification-v1', 'subscription-confirmation', 'unsubscribe-confirmation']) {
      assert.equal(await holds(message(`ecr-sns-${name}`)), true, name);
    }
    assert.equal(asked.length, 1);
  });

  test('a changed member of any kind does not', async () => {
    const { holds } = setUp();
    const changes: [string, object][] = [
      ['notification', { Message: '{}' }],
      ['notification', { MessageId: 'other' }],
      ['notification', { Subject: 'added' }],
      ['notification', { Timestamp: '2026-03-02T10:15:29.000Z' }],
      ['notification', { Type: 'SubscriptionConfirmation' }],
      ['notification', { SignatureVersion: '1' }],
      ['notification', { SignatureVersion: '3' }],
      ['notification', { SignatureVersion: 'constructor' }],
      ['notification', { Signature: '' }],
      ['notification', { Signature: 'AAAA' }],
      ['subscription-confirmation', { SubscribeURL: 'https://sns.us-east-1.amazonaws.com/?Action=Other' }],
      ['subscription-confirmation', { Token: 'other' }],
    ];
    for (const [name, change] of changes) {
      assert.equal(await holds(message(`ecr-sns-${name}`, change)), false, JSON.stringify(change));
    }
  });

  test("a certificate is asked of SNS's own host in the region of the topic, and of nobody else", async () => {
    const { asked, holds } = setUp();
    const urls = [
      'http://sns.us-east-1.amazonaws.com/a.pem',
      'https://sns.us-east-1.amazonaws.com.attacker.example/a.pem',
      'https://attacker.example/sns.us-east-1.amazonaws.com/a.pem',
      'https://sns.us-east-1.amazonaws.com:8443/a.pem',
      'https://sns.us-east-1.amazonaws.com@attacker.example/a.pem',
      'https://sns.eu-west-1.amazonaws.com/a.pem',
      'https://s3.us-east-1.amazonaws.com/a.pem',
      'https://sns.us-east-1.amazonaws.com/?Action=Other',
      'https://sns.us-east-1.amazonaws.com/a.pem?x=1',
      'no url',
    ];
    for (const SigningCertURL of urls) {
      assert.equal(await holds(message('ecr-sns-notification', { SigningCertURL })), false, SigningCertURL);
    }
    assert.deepEqual(asked, []);
    assert.equal(
      snsUrl('https://sns.cn-north-1.amazonaws.com.cn/', 'arn:aws-cn:sns:cn-north-1:123456789012:t')?.port,
      '',
    );
    assert.equal(snsUrl('https://sns.us-east-1.amazonaws.com/', 'no arn'), undefined);
  });

  test('the topic of a stranger, and what is no message, make nothing fetched', async () => {
    const { asked, holds } = setUp();
    assert.equal(await holds(message('ecr-sns-foreign-topic')), false);
    assert.equal(await holds(message('ecr-sns-notification'), NOW, []), false);
    for (const text of ['', 'no json', '[]', '{"Type":"Notification"}', '{"detail-type":"ECR Image Action"}']) {
      assert.equal(await holds(Buffer.from(text)), false, text);
    }
    assert.deepEqual(asked, []);
  });

  test('a message counts for as long as SNS tries, and not before it was made', async () => {
    const { holds } = setUp();
    const body = message('ecr-sns-notification');
    assert.equal(await holds(body, '2026-03-02T11:15:00Z'), true);
    assert.equal(await holds(body, '2026-03-02T11:20:00Z'), false);
    assert.equal(await holds(body, '2026-03-02T10:10:00Z'), false);
    assert.equal(await holds(message('ecr-sns-notification', { Timestamp: 'yesterday' })), false);
  });

  test('a certificate that cannot be had is no refusal but a failure, and is asked for again', async () => {
    let fails = true;
    const { asked, holds } = setUp(async () => {
      if (fails) throw new AppError('network', 'away');
      return CERTIFICATE;
    });
    const body = message('ecr-sns-notification');
    await assert.rejects(holds(body), { code: 'network' });
    fails = false;
    assert.equal(await holds(body), true);
    assert.equal(asked.length, 2);
    await assert.rejects(setUp(async () => Buffer.from('no pem')).holds(body), { code: 'certificate-unreadable' });
  });

  test('a confirmation leads to SNS or nowhere', () => {
    const items = (SubscribeURL: string) => {
      const body = message('ecr-sns-subscription-confirmation', { SubscribeURL });
      return ecrSns.events({ method: 'POST', headers: {}, query: {}, body });
    };
    assert.deepEqual(items('https://attacker.example/'), [
      { from: 'request', skip: 'malformed', message: '`SubscribeURL` does not lead to SNS' },
    ]);
  });
});
