import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import test from 'node:test';
import { CANARY, failure } from '../../../support/failure.ts';
import { serveHttp } from '../../../support/http-server.ts';
import { testKeys } from '../../../support/key-ring.ts';
import { failure as awsFailure, startAwsKms } from '../../../support/key-services/aws-kms-server.ts';
import { makeKey } from '../../../support/pki.ts';
import { makeScratch } from '../../../support/scratch.ts';

const NOW = () => new Date('2026-11-23T12:00:00Z');
const DATA = Buffer.from('what is signed');
const ID = '1234abcd-12ab-34cd-56ef-1234567890ab';
const RSA_ID = 'mrk-1234abcd12ab34cd56ef1234567890ab';
const REGION = 'eu-central-1';
const STATIC = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: CANARY, AWS_REGION: REGION };

async function startKms(
  credentials = { AKID: { secret: CANARY } } as Parameters<typeof startAwsKms>[0]['credentials'],
) {
  const key = makeKey();
  const rsa = makeKey('rsa3072');
  const keys = { [ID]: key, 'alias/release': key, [RSA_ID]: rsa };
  const server = await startAwsKms({ keys, region: REGION, credentials, now: NOW });
  return { server, key, rsa, env: { ...STATIC, AWS_ENDPOINT_URL_KMS: server.url } };
}

test('keys by id, ARN and alias sign; the request carries a signature that AWS accepts, and the digest alone', async () => {
  const { server, key, rsa, env } = await startKms();
  await using _server = server;
  await using keys = testKeys({ env, now: NOW });
  const references = [
    `awskms:///${ID}`,
    `awskms:///arn:aws:kms:${REGION}:111122223333:key/${ID}`,
    'awskms:///alias/release',
  ];
  for (const reference of references) {
    const opened = await keys.open(reference);
    assert.ok(opened.publicKey.equals(createPublicKey(key)));
    assert.ok(verify('sha256', DATA, opened.publicKey, await opened.sign(DATA)));
  }
  const opened = await keys.open(`awskms:///${RSA_ID}`);
  assert.ok(opened.publicKey.equals(createPublicKey(rsa)));
  assert.ok(verify('sha256', DATA, opened.publicKey, await opened.sign(DATA)));
  assert.ok(server.requests.every(({ body }) => !body.includes(DATA.toString('base64'))));
});

test('an alias that is led to another key meanwhile does not change the key that signs', async () => {
  const { server, env } = await startKms();
  await using _server = server;
  await using keys = testKeys({ env, now: NOW });
  const opened = await keys.open('awskms:///alias/release');
  await opened.sign(DATA);
  const asked = JSON.parse(server.requests.at(-1)?.body.toString('utf8') ?? '{}');
  assert.equal(asked.KeyId, `arn:aws:kms:${REGION}:111122223333:key/alias/release`);
});

test('throttling is waited out, as long as the service asks; then it is an error of the throttled class', async () => {
  const { server, env } = await startKms();
  await using _server = server;
  await using keys = testKeys({ env, now: NOW });
  const opened = await keys.open(`awskms:///${ID}`);
  let left = 2;
  server.bend((honest) => (left-- > 0 ? awsFailure(400, 'ThrottlingException') : honest));
  assert.ok(verify('sha256', DATA, opened.publicKey, await opened.sign(DATA)));
  assert.deepEqual(keys.waits, [200, 400]);
  server.bend(() => ({ ...awsFailure(429, 'TooManyRequestsException'), headers: { 'retry-after': '60' } }));
  const error = await failure(opened.sign(DATA));
  assert.equal(error.code, 'key-throttled');
  assert.equal(error.class, 'throttled');
  assert.equal(error.retryAfterMs, 60_000);
  assert.deepEqual(keys.waits, [200, 400], 'a minute is the queue’s to wait');
});

test('each refusal of AWS is told by its own name, in the right class, without what was sent', async () => {
  const { server, env } = await startKms();
  await using _server = server;
  await using keys = testKeys({ env: { ...env, AWS_SESSION_TOKEN: CANARY }, now: NOW });
  const opened = await keys.open(`awskms:///${ID}`);
  const cases = [
    ['AccessDeniedException', 'key-refused', 'permanent'],
    ['DisabledException', 'key-refused', 'permanent'],
    ['KMSInvalidStateException', 'key-refused', 'permanent'],
    ['NotFoundException', 'key-refused', 'permanent'],
    ['UnrecognizedClientException', 'key-unauthorized', 'permanent'],
    ['ExpiredTokenException', 'key-credentials-expired', 'transient'],
    ['KMSInternalException', 'key-unavailable', 'transient'],
    ['DependencyTimeoutException', 'key-unavailable', 'transient'],
    ['ThrottlingException', 'key-throttled', 'throttled'],
    ['SomethingNewException', 'key-refused', 'permanent'],
  ] as const;
  for (const [name, code, kind] of cases) {
    server.bend(() => awsFailure(400, name));
    const error = await failure(opened.sign(DATA));
    assert.deepEqual([error.code, error.class], [code, kind], name);
    assert.match(error.message, new RegExp(`awskms \\(${ID}\\).*${name}`));
    assert.ok(error.mend);
  }
  // The message of a wrong signature quotes the request, session token and all.
  server.bend(() => awsFailure(403, 'InvalidSignatureException', `canonical request: x-amz-security-token:${CANARY}`));
  assert.equal((await failure(opened.sign(DATA))).code, 'key-unauthorized');
  server.bend(() => awsFailure(403, 'InvalidSignatureException', 'Signature expired: 20261123T120000Z is now earlier'));
  assert.equal((await failure(opened.sign(DATA))).code, 'clock-skew');
  server.bend(() => awsFailure(500, 'Whatever'));
  assert.equal((await failure(opened.sign(DATA))).code, 'key-unavailable');
  server.bend(() => ({ status: 200, body: '<html>' }));
  assert.equal((await failure(opened.sign(DATA))).code, 'key-protocol');
});

test('a clock that is wrong is found by the service', async () => {
  const { server, env } = await startKms();
  await using _server = server;
  await using keys = testKeys({ env, now: () => new Date('2026-11-23T13:00:00Z') });
  const error = await failure(keys.open(`awskms:///${ID}`));
  assert.deepEqual([error.code, error.class], ['clock-skew', 'transient']);
});

test('a signature by another key is not passed on', async () => {
  const { server, env } = await startKms();
  await using _server = server;
  await using keys = testKeys({ env, now: NOW });
  const opened = await keys.open(`awskms:///${ID}`);
  server.bend((honest, request) => {
    if (request.headers['x-amz-target'] !== 'TrentService.Sign') return honest;
    return { ...honest, body: JSON.stringify({ Signature: Buffer.from('no signature').toString('base64') }) };
  });
  assert.equal((await failure(opened.sign(DATA))).code, 'key-mismatch');
});

test('temporary credentials are renewed before their end, and after they were refused', async () => {
  const credentials: Record<string, { secret: string; token: string }> = {};
  const { server } = await startKms(credentials);
  await using _server = server;
  let given = 0;
  await using sts = await serveHttp(({ body }) => {
    const form = new URLSearchParams(body.toString('utf8'));
    if (form.get('WebIdentityToken') !== 'projected') {
      return {
        status: 400,
        body: `<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>${CANARY}</Message></Error></ErrorResponse>`,
      };
    }
    given += 1;
    credentials[`ASIA${given}`] = { secret: `secret-${given}`, token: `token-${given}` };
    const part = (name: string, value: string) => `<${name}>${value}</${name}>`;
    const expiration = new Date(NOW().getTime() + 3_600_000).toISOString();
    const inner = [
      part('AccessKeyId', `ASIA${given}`),
      part('SecretAccessKey', `secret-${given}`),
      part('SessionToken', `token-${given}`),
      part('Expiration', expiration),
    ].join('');
    return {
      status: 200,
      body: `<AssumeRoleWithWebIdentityResponse><Credentials>${inner}</Credentials></AssumeRoleWithWebIdentityResponse>`,
    };
  });
  await using scratch = await makeScratch();
  const file = await scratch.write('token', 'projected\n');
  let now = NOW();
  const env = {
    AWS_REGION: REGION,
    AWS_ENDPOINT_URL_KMS: server.url,
    AWS_ENDPOINT_URL_STS: sts.url,
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/signer',
  };
  await using keys = testKeys({ env, now: () => now });
  const opened = await keys.open(`awskms:///${ID}`);
  await Promise.all([opened.sign(DATA), opened.sign(DATA)]);
  assert.equal(given, 1);
  credentials.ASIA1 = { secret: 'withdrawn', token: 'withdrawn' };
  await opened.sign(DATA);
  assert.equal(given, 2);
  now = new Date(NOW().getTime() + 57 * 60_000);
  await failure(opened.sign(DATA));
  assert.equal(given, 3, 'three minutes before the end they are renewed');
  await scratch.write('token', CANARY);
  await using others = testKeys({ env, now: NOW });
  const error = await failure(others.open(`awskms:///${ID}`));
  assert.equal(error.code, 'key-unauthorized');
  assert.match(error.message, /AWS STS .*InvalidIdentityToken/);
});

test('credentials of the shared file, a container and a machine', async () => {
  const { server } = await startKms({ AKID: { secret: 'shared' }, ASIA: { secret: 'given', token: 'session' } });
  await using _server = server;
  const given = { AccessKeyId: 'ASIA', SecretAccessKey: 'given', Token: 'session', Expiration: '2026-11-23T18:00:00Z' };
  await using platform = await serveHttp(({ path, method, headers }) => {
    if (path === '/latest/api/token' && method === 'PUT') return { status: 200, body: 'imds' };
    const machine = headers['x-aws-ec2-metadata-token'] === 'imds';
    if (path.endsWith('/security-credentials/') && machine) return { status: 200, body: 'role' };
    if (path.endsWith('/security-credentials/role') && machine) return { status: 200, body: JSON.stringify(given) };
    if (path === '/container' && headers.authorization === 'pod') return { status: 200, body: JSON.stringify(given) };
    return { status: 401, body: '' };
  });
  await using scratch = await makeScratch();
  const shared = await scratch.write(
    'credentials',
    '[other]\naws_access_key_id = NO\n[signer]\naws_access_key_id=AKID\naws_secret_access_key = shared\n',
  );
  const pod = await scratch.write('pod', 'pod\n');
  const base = { AWS_REGION: REGION, AWS_ENDPOINT_URL_KMS: server.url };
  const ways = [
    { AWS_SHARED_CREDENTIALS_FILE: shared, AWS_PROFILE: 'signer' },
    { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${platform.url}/container`, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: pod },
    { AWS_EC2_METADATA_SERVICE_ENDPOINT: platform.url },
  ];
  for (const way of ways) {
    const file = { AWS_SHARED_CREDENTIALS_FILE: await scratch.write('empty', '') };
    await using keys = testKeys({ env: { ...base, ...file, ...way }, now: NOW });
    await (await keys.open(`awskms:///${ID}`)).sign(DATA);
  }
  await using none = testKeys({
    env: { ...base, AWS_SHARED_CREDENTIALS_FILE: scratch.at('empty'), AWS_EC2_METADATA_DISABLED: 'true' },
  });
  const error = await failure(none.open(`awskms:///${ID}`));
  assert.equal(error.code, 'config-invalid');
  assert.match(error.message, /no AWS credentials/);
});

test('keys that verifiers do not read, and regions that are not known, are refused before anything is signed', async () => {
  const keys = { [ID]: makeKey('p384'), 'alias/small': makeKey('rsa1024') };
  await using server = await startAwsKms({ keys, region: REGION, credentials: { AKID: { secret: CANARY } }, now: NOW });
  await using ring = testKeys({ env: { ...STATIC, AWS_ENDPOINT_URL_KMS: server.url }, now: NOW });
  const curve = await failure(ring.open(`awskms:///${ID}`));
  assert.match(curve.message, /ECDSA P-384: the service signs SHA-384 digests/);
  const small = await failure(ring.open('awskms:///alias/small'));
  assert.match(small.message, /RSA 1024: verifiers take RSA from 2048 bits/);
  await using nowhere = testKeys({ env: { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: CANARY } });
  const region = await failure(nowhere.open(`awskms:///${ID}`));
  assert.deepEqual([region.code, region.field], ['config-invalid', 'AWS_REGION']);
});

test('a service that does not answer is given up when the signal says so; canceled is not timed out', async () => {
  const { server, env } = await startKms();
  await using _server = server;
  await using keys = testKeys({ env, now: NOW });
  const opened = await keys.open(`awskms:///${ID}`);
  server.bend(() => new Promise(() => undefined));
  const late = await failure(opened.sign(DATA, AbortSignal.timeout(50)));
  assert.deepEqual([late.code, late.class], ['timeout', 'transient']);
  const stop = new AbortController();
  const canceled = failure(opened.sign(DATA, stop.signal));
  stop.abort();
  assert.equal((await canceled).code, 'canceled');
});
