import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { createKeySettings } from '#compose/key-settings.ts';
import { sha256 } from '#model/digest.ts';
import type { CallEnd } from '#oci/call-end.ts';
import type { Catalog } from '#oci/catalog/catalog.ts';
import { RegistryOptions } from '#oci/options.ts';
import { createRegistries } from '#oci/registries.ts';
import { CANARY } from '../../support/failure.ts';
import { edited, json } from '../../support/http-server.ts';
import { startAcr } from '../../support/key-services/acr-server.ts';
import { startEcrLists } from '../../support/key-services/ecr-server.ts';
import { startGar } from '../../support/key-services/gar-server.ts';
import { startGoogle } from '../../support/key-services/google-server.ts';
import { refusedByAws, startEntra } from '../../support/key-services/registry-logins.ts';
import { secret } from '../../support/registry-target.ts';
import { startTokenServer } from '../../support/token-server.ts';

const now = () => new Date('2026-03-01T12:00:00Z');

/** What a registry that is configured so lists, and what was told of the calls for it. */
function openCatalog(options: object, env: Readonly<Record<string, string>>) {
  const told: (readonly [string, CallEnd])[] = [];
  const turns: (readonly [string, string | undefined])[] = [];
  const parsed = RegistryOptions.parse(options);
  const secrets = (reference: string) => secret(env[reference.replace(/^env:/, '')] ?? assert.fail(reference));
  const registries = createRegistries([parsed], {
    userAgent: 'attestry-test',
    now,
    secrets,
    unlisted: 'refuse',
    cloudSettings: (access) => createKeySettings(access, env, secrets),
    turn: async (registry, _signal, host) => void turns.push([registry, host]),
    told: async (registry, end) => void told.push([registry, end]),
  });
  const catalog: Catalog = registries.catalog(parsed.name) ?? assert.fail();
  return { catalog, told, turns, [Symbol.asyncDispose]: () => registries.close() };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const read: Item[] = [];
  for await (const item of items) read.push(item);
  return read;
}

const TAGS = Object.fromEntries(Array.from({ length: 7 }, (_, at) => [`1.${at}`, sha256(`image ${at}`)]));
const LISTED = Object.entries(TAGS).map(([tag, digest]) => ({ tag, digest }));

test('ACR: its own lists, with tokens for their scopes that the identity of the workload is changed for', async () => {
  const entraKey = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwt = (claims: object) => {
    const signed = [{ alg: 'RS256', typ: 'JWT' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    return `${signed}.${sign('sha256', Buffer.from(signed), entraKey.privateKey).toString('base64url')}`;
  };
  const refreshToken = jwt({ exp: now().getTime() / 1000 + 3 * 3600, sub: CANARY });
  await using tokens = await startTokenServer({ username: 'nobody', password: 'none', identityToken: refreshToken });
  await using entra = await startEntra({
    tenant: 'tenant-1',
    client: 'client-1',
    secret: `client-${CANARY}`,
    assertion: '',
    issue: (aud) => jwt({ aud, exp: now().getTime() / 1000 + 3599 }),
  });
  await using acr = await startAcr({
    service: 'team.azurecr.io',
    entra: entraKey.publicKey,
    refreshToken,
    tokens,
    repositories: { 'team/app': TAGS, 'team/empty': {}, 'other/a': {}, 'other/b': {}, 'other/c': {} },
    most: 3,
  });
  const env = { AZURE_TENANT_ID: 'tenant-1', AZURE_CLIENT_ID: 'client-1', AZURE_AUTHORITY_HOST: entra.url };
  const options = {
    name: 'team.azurecr.io',
    address: acr.host,
    credentials: { provider: 'acr' },
    sweep: { api: { type: 'acr' } },
  };
  await using opened = openCatalog(options, { ...env, AZURE_CLIENT_SECRET: `client-${CANARY}` });
  const { catalog, told, turns } = opened;
  const names = ['other/a', 'other/b', 'other/c', 'team/app', 'team/empty'];
  assert.deepEqual(await all(catalog.repositories()), names);
  assert.deepEqual(await all(catalog.tags('team/app')), LISTED);
  assert.deepEqual(await all(catalog.tags('team/empty')), []);
  assert.deepEqual(await all(catalog.tags('team/gone')), []);
  assert.deepEqual([...new Set(tokens.calls.flatMap(({ scopes }) => scopes))].slice(0, 2), [
    'registry:catalog:*',
    'repository:team/app:metadata_read',
  ]);
  // Within the budget of the registry, and told of to it.
  assert.equal(turns.length, 7);
  assert.ok(turns.every(([registry, host]) => registry === 'team.azurecr.io' && host === undefined));
  acr.bend(() => json(429, {}, { 'retry-after': '7' }));
  await assert.rejects(all(catalog.repositories()), { code: 'registry-throttled', retryAfterMs: 7000 });
  assert.deepEqual(told.at(-1), ['team.azurecr.io', { outcome: 'throttled', sentBytes: 0, retryAfterMs: 7000 }]);

  for (const link of [
    '</acr/v1/_catalog?n=1000>; rel="next"',
    '<https://elsewhere.example/acr/v1/_catalog>; rel="next"',
  ]) {
    acr.bend((honest) => ({ ...honest, headers: { ...honest.headers, link } }));
    await assert.rejects(all(catalog.repositories()), { code: 'registry-protocol' }, link);
  }
  acr.bend((honest) =>
    edited(honest, () => ({ tags: [{ name: '..', digest: 'x' }, null, 7, { name: 'a', digest: 'x' }] })),
  );
  assert.deepEqual(await all(catalog.tags('team/app')), [{ tag: 'a' }, { tag: 'a' }, { tag: 'a' }]);
  acr.bend(() => json(403, { errors: [{ code: 'DENIED' }] }));
  await assert.rejects(all(catalog.repositories()), { code: 'registry-forbidden' });
  acr.bend();
  await using wrong = openCatalog(options, { ...env, AZURE_CLIENT_SECRET: CANARY });
  await assert.rejects(all(wrong.catalog.repositories()), { code: 'registry-unauthorized' });
});

const ACCOUNT = '123456789012';
const ECR = `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com`;
const KEYS = { AKIDEXAMPLE: { secret: `secret-${CANARY}` } };
const IDENTITY = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: `secret-${CANARY}` };

test('ECR: repositories and tags by signed calls, page by page; each try is told to the host of the API', async () => {
  const repositories = { 'team/app': TAGS, 'team/empty': {}, 'other/a': {}, 'other/b': {}, 'other/c': {} };
  const gate = { region: 'eu-west-1', credentials: KEYS, now };
  await using ecr = await startEcrLists({ ...gate, account: ACCOUNT, repositories, most: 2 });
  const options = {
    name: ECR,
    address: 'localhost:9',
    credentials: { provider: 'ecr' },
    sweep: { api: { type: 'ecr' } },
  };
  const env = { ...IDENTITY, AWS_ENDPOINT_URL_ECR: ecr.url };
  await using opened = openCatalog(options, env);
  const { catalog, told, turns } = opened;
  assert.deepEqual(await all(catalog.repositories()), Object.keys(repositories));
  assert.deepEqual(await all(catalog.tags('team/app')), LISTED);
  assert.deepEqual(await all(catalog.tags('team/empty')), []);
  assert.deepEqual(await all(catalog.tags('team/gone')), []);
  assert.equal(ecr.requests.length, 3 + 4 + 1 + 1);
  assert.deepEqual(
    turns,
    Array.from(ecr.requests, () => [ECR, ecr.host]),
  );
  assert.ok(told.every(([host, { outcome }]) => host === ecr.host && outcome === 'answered'));

  ecr.bend(() => refusedByAws('ThrottlingException'));
  const before = ecr.requests.length;
  await assert.rejects(all(catalog.repositories()), { code: 'registry-throttled', class: 'throttled' });
  assert.ok(ecr.requests.length - before > 1, 'a moment is waited for');
  assert.deepEqual(told.at(-1), [ecr.host, { outcome: 'throttled', sentBytes: 0 }]);
  ecr.bend(() => json(503, {}));
  await assert.rejects(all(catalog.repositories()), { code: 'registry-unavailable' });
  assert.deepEqual(told.at(-1), [ecr.host, { outcome: 'failed', sentBytes: 0 }]);
  ecr.bend(() => json(200, { imageIds: [], nextToken: 'the-same' }));
  await assert.rejects(all(catalog.tags('team/app')), { code: 'registry-protocol' });
  ecr.bend(() => json(200, { imageIds: [], nextToken: 'x'.repeat(20_000) }));
  await assert.rejects(all(catalog.tags('team/app')), { code: 'registry-protocol' });
  ecr.bend(() => json(200, { imageIds: 'none' }));
  await assert.rejects(all(catalog.tags('team/app')), { code: 'registry-protocol' });
  ecr.bend(() =>
    json(200, { imageIds: [null, 7, { imageDigest: 'x' }, { imageTag: 'a b' }, { imageTag: 'a', imageDigest: 'x' }] }),
  );
  assert.deepEqual(await all(catalog.tags('team/app')), [{ tag: 'a' }]);
  ecr.bend();
  await using wrong = openCatalog(options, { ...env, AWS_SECRET_ACCESS_KEY: CANARY });
  await assert.rejects(all(wrong.catalog.repositories()), { code: 'registry-unauthorized' });
  await using other = openCatalog({ ...options, name: ECR.replace('1234', '4321') }, env);
  await assert.rejects(all(other.catalog.repositories()), { code: 'registry-unauthorized', message: /AccessDenied/ });
});

test('Artifact Registry: the repositories of a project by a token of the workload, which is renewed when refused', async () => {
  await using google = await startGoogle({ versions: {}, now });
  const docker = { format: 'DOCKER', mode: 'STANDARD_REPOSITORY' };
  let taken: string | undefined;
  await using gar = await startGar({
    parent: 'projects/acme-prod/locations/europe',
    token: () => taken ?? google.tokens.at(-1) ?? '',
    repositories: {
      images: { ...docker, packages: { app: TAGS, 'nested/app': TAGS, empty: {}, 'No Name': {} } },
      libraries: { format: 'NPM', mode: 'STANDARD_REPOSITORY', packages: { app: TAGS } },
      mirror: { ...docker, mode: 'REMOTE_REPOSITORY', packages: { 'library/debian': TAGS } },
      all: { ...docker, mode: 'VIRTUAL_REPOSITORY', packages: { app: TAGS } },
      more: { ...docker, packages: { app: {} } },
    },
    most: 3,
  });
  const options = {
    name: 'europe-docker.pkg.dev',
    address: 'localhost:9',
    credentials: { provider: 'gar' },
    sweep: { api: { type: 'gar', owner: 'acme-prod', url: `${gar.url}/v1` } },
  };
  const env = { GCE_METADATA_HOST: google.host };
  await using opened = openCatalog(options, env);
  const { catalog, told, turns } = opened;
  assert.deepEqual(await all(catalog.repositories()), [
    'acme-prod/images/app',
    'acme-prod/images/nested/app',
    'acme-prod/images/empty',
    'acme-prod/more/app',
  ]);
  assert.deepEqual(await all(catalog.tags('acme-prod/images/nested/app')), LISTED);
  assert.deepEqual(await all(catalog.tags('acme-prod/images/empty')), []);
  assert.deepEqual(await all(catalog.tags('acme-prod/images/gone')), []);
  assert.deepEqual(await all(catalog.tags('another/images/app')), [], 'of another project nothing is known');
  assert.equal(google.tokens.length, 1);
  assert.deepEqual(
    turns,
    Array.from(gar.requests, () => [options.name, gar.host]),
  );
  assert.ok(told.every(([host, { outcome }]) => host === gar.host && outcome === 'answered'));

  // Withdrawn before its end: the next one is got at once.
  taken = 'google-token-2';
  assert.deepEqual(await all(catalog.tags('acme-prod/images/app')), LISTED);
  assert.equal(google.tokens.length, 2);
  taken = 'none';
  await assert.rejects(all(catalog.repositories()), { code: 'registry-unauthorized' });
  assert.equal(google.tokens.length, 3, 'and once is enough');
  taken = undefined;

  gar.bend(() => json(429, {}, { 'retry-after': '9' }));
  await assert.rejects(all(catalog.repositories()), { code: 'registry-throttled', retryAfterMs: 9000 });
  assert.deepEqual(told.at(-1), [gar.host, { outcome: 'throttled', sentBytes: 0, retryAfterMs: 9000 }]);
  for (const nextPageToken of ['the-same', 'x'.repeat(20_000)]) {
    gar.bend(() => json(200, { tags: [], nextPageToken }));
    await assert.rejects(all(catalog.tags('acme-prod/images/app')), { code: 'registry-protocol' });
  }
  gar.bend(() =>
    json(200, { tags: [null, 7, { name: 'tags/%' }, { name: 'tags/a%20b' }, { name: 'tags/a', version: 'x' }] }),
  );
  assert.deepEqual(await all(catalog.tags('acme-prod/images/app')), [{ tag: 'a' }]);
  gar.bend(() => json(404, {}));
  await assert.rejects(all(catalog.repositories()), { code: 'registry-refused' }, 'a project that is not there');
  gar.bend();
  await using nowhere = openCatalog({ ...options, name: 'images.example.com' }, env);
  await assert.rejects(all(nowhere.catalog.repositories()), { code: 'config-invalid', field: 'registries.sweep.api' });
  google.bend(() => json(503, {}));
  await using away = openCatalog(options, env);
  await assert.rejects(all(away.catalog.repositories()), { code: 'registry-unavailable' });
});

test('an API that is asked with the credentials of the registry takes none of its own', () => {
  const issuesOf = (api: object, more: object = {}) =>
    RegistryOptions.safeParse({ name: 'team.azurecr.io', sweep: { api }, ...more }).error?.issues.map(({ path }) =>
      path.join('.'),
    );
  const provider = (type: string) => ({ credentials: { provider: type } });
  for (const type of ['acr', 'ecr']) {
    for (const key of ['url', 'owner', 'username', 'secret']) {
      const value = { url: 'https://team.azurecr.io', secret: 'env:SECRET' }[key] ?? 'x';
      assert.deepEqual(issuesOf({ type, [key]: value }, provider(type)), [`sweep.api.${key}`]);
    }
  }
  assert.deepEqual(issuesOf({ type: 'gar' }, provider('gar')), ['sweep.api.owner']);
  assert.deepEqual(issuesOf({ type: 'gar', owner: 'x', secret: 'env:SECRET' }, provider('gar')), ['sweep.api.secret']);
  assert.deepEqual(issuesOf({ type: 'gar', owner: 'x' }), ['sweep.api.type']);
  assert.equal(issuesOf({ type: 'acr' }), undefined);
  assert.equal(issuesOf({ type: 'ecr' }, provider('ecr')), undefined);
  for (const more of [{}, provider('acr'), { credentials: { token: 'env:TOKEN' } }]) {
    assert.deepEqual(issuesOf({ type: 'ecr' }, more), ['sweep.api.type']);
  }
});
