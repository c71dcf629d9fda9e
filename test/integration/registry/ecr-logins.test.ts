import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { CANARY, failure } from '../../support/failure.ts';
import { json } from '../../support/http-server.ts';
import { refusedByAws, startEcr, startSts } from '../../support/key-services/registry-logins.ts';
import { openNamed, protectedRegistry } from '../../support/protected-registry.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

const REGION = 'eu-west-1';
const ECR_NAME = `123456789012.dkr.ecr.${REGION}.amazonaws.com`;
const KEYS = { AKIDEXAMPLE: { secret: `secret-${CANARY}` } };
const STATIC = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: `secret-${CANARY}` };
const START = '2026-03-01T12:00:00Z';

describe('logins of ECR, at a registry that asks for a token', () => {
  const clock = { now: Date.parse(START) };
  const now = () => new Date(clock.now);
  let scratch: Scratch;

  before(async () => {
    scratch = await makeScratch();
  });
  after(() => scratch[Symbol.asyncDispose]());
  beforeEach(() => {
    clock.now = Date.parse(START);
  });

  const open = (name: string, at: { readonly host: string }, credentials: object, env: Record<string, string>) =>
    openNamed(now, name, at, credentials, env);

  it('ECR: one login for many at once, a new one before the end of the twelve hours', async () => {
    await using at = await protectedRegistry('AWS', `one-${CANARY}`);
    let password = `one-${CANARY}`;
    await using ecr = await startEcr({ region: REGION, credentials: KEYS, now }, () => password);
    await using opened = open(ECR_NAME, at.registry, { provider: 'ecr' }, { ...STATIC, AWS_ENDPOINT_URL_ECR: ecr.url });
    await Promise.all(Array.from({ length: 8 }, opened.read));
    assert.equal(ecr.requests.length, 1);
    clock.now += 11 * 3_600_000;
    await opened.read();
    assert.equal(ecr.requests.length, 1);
    password = `two-${CANARY}`;
    at.tokens.changePassword(password);
    // Seven minutes before the end: five, and half as much again by the spread.
    clock.now += 53 * 60_000;
    await opened.read();
    assert.equal(ecr.requests.length, 2);
  });

  it('ECR: a password that was withdrawn early is replaced once, and the registry works on', async () => {
    await using at = await protectedRegistry('AWS', 'first');
    let password = 'first';
    await using ecr = await startEcr({ region: REGION, credentials: KEYS, now }, () => password);
    await using opened = open(ECR_NAME, at.registry, { provider: 'ecr' }, { ...STATIC, AWS_ENDPOINT_URL_ECR: ecr.url });
    await opened.read();
    password = 'second';
    at.tokens.changePassword('second');
    clock.now += 120_000;
    await opened.read();
    assert.equal(ecr.requests.length, 2);
  });

  it('ECR by a web identity, and ECR Public in its one region', async () => {
    await using at = await protectedRegistry('AWS', 'pass');
    const role = 'arn:aws:iam::123456789012:role/attestry';
    const session = { id: 'ASIASESSION', secret: `session-${CANARY}`, token: `token-${CANARY}` };
    const file = await scratch.write('identity-token', `${CANARY}-projected\n`);
    await using sts = await startSts({ role, token: `${CANARY}-projected` }, session, now);
    const credentials = { [session.id]: { secret: session.secret, token: session.token } };
    const env = { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ENDPOINT_URL_STS: sts.url };
    await using ecr = await startEcr({ region: REGION, credentials, now }, () => 'pass');
    await using opened = open(ECR_NAME, at.registry, { provider: 'ecr' }, { ...env, AWS_ENDPOINT_URL_ECR: ecr.url });
    await opened.read();
    assert.deepEqual([sts.requests.length, ecr.requests.length], [1, 1]);
    await using open2 = await startEcr({ region: 'us-east-1', credentials: KEYS, now }, () => 'pass', true);
    const publicEnv = { ...STATIC, AWS_ENDPOINT_URL_ECR_PUBLIC: open2.url };
    await using second = open('public.ecr.aws', at.registry, { provider: 'ecr-public' }, publicEnv);
    await second.read();
    assert.equal(open2.requests.length, 1);
    // The role is not taken on with another token; its text is in no error.
    await scratch.write('identity-token', `${CANARY}-other`);
    await using third = open(ECR_NAME, at.registry, { provider: 'ecr' }, { ...env, AWS_ENDPOINT_URL_ECR: ecr.url });
    assert.equal((await failure(third.read())).code, 'registry-unauthorized');
  });

  it('ECR: refusals are told by what can be done, stumbles are tried again', async () => {
    await using at = await protectedRegistry('AWS', 'pass');
    await using ecr = await startEcr({ region: REGION, credentials: KEYS, now }, () => 'pass');
    const env = { ...STATIC, AWS_ENDPOINT_URL_ECR: ecr.url };
    await using opened = open(ECR_NAME, at.registry, { provider: 'ecr' }, env);
    let left = 1;
    ecr.bend((honest) => (left-- > 0 ? refusedByAws('ServerException', 500) : honest));
    await opened.read();
    const cases = [
      ['AccessDeniedException', 'registry-unauthorized', 'permanent'],
      ['UnrecognizedClientException', 'registry-unauthorized', 'permanent'],
      ['ExpiredTokenException', 'credentials-unavailable', 'transient'],
    ] as const;
    for (const [name, code, kind] of cases) {
      ecr.bend(() => refusedByAws(name));
      await using refused = open(ECR_NAME, at.registry, { provider: 'ecr' }, env);
      const error = await failure(refused.read());
      assert.deepEqual([error.code, error.class], [code, kind]);
      assert.match(error.message, new RegExp(`no credentials for ${ECR_NAME}: .*${name}`));
      assert.ok(error.mend);
    }
    ecr.bend(() => ({ ...refusedByAws('ThrottlingException', 429), headers: { 'retry-after': '60' } }));
    await using busy = open(ECR_NAME, at.registry, { provider: 'ecr' }, env);
    const throttled = await failure(busy.read());
    assert.deepEqual([throttled.code, throttled.retryAfterMs], ['registry-throttled', 60_000]);
    ecr.bend(() => json(200, { authorizationData: [] }));
    await using strange = open(ECR_NAME, at.registry, { provider: 'ecr' }, env);
    assert.equal((await failure(strange.read())).code, 'registry-protocol');
    const ahead = { region: REGION, credentials: KEYS, now: () => new Date(clock.now + 3_600_000) };
    await using later = await startEcr(ahead, () => 'pass');
    const late = { ...STATIC, AWS_ENDPOINT_URL_ECR: later.url };
    await using skewed = open(ECR_NAME, at.registry, { provider: 'ecr' }, late);
    assert.equal((await failure(skewed.read())).code, 'clock-skew');
  });
});
