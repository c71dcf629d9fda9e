import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '#model/media-types.ts';
import { probe } from '#oci/capabilities.ts';
import { createCapabilityMemo } from '#oci/capability-memo.ts';
import { RegistryOptions } from '#oci/options.ts';
import { createRegistries } from '#oci/registries.ts';
import type { Target } from '#oci/target.ts';
import { pushReferrer } from '../../support/referrers.ts';
import { startReferrersRegistry } from '../../support/referrers-registry.ts';
import { startRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';

const REPOSITORY = 'team/app';
const ECR = {
  status: 400,
  code: 'TAG_INVALID',
  message: "The image tag 'x' already exists and cannot be overwritten because the repository is immutable.",
} as const;
const HARBOR_TAG = {
  status: 412,
  code: 'PRECONDITION',
  message: "Failed to process request due to 'team/app:x' configured as immutable.",
} as const;
const HARBOR_QUOTA = {
  status: 403,
  code: 'DENIED',
  message: 'adding 1 KiB of storage resource, which will exceed the configured upper limit of 1 KiB.',
} as const;

describe('what a registry can do', () => {
  test('is asked once, without a write, and remembered', async () => {
    await using old = await startRegistry();
    await using recent = await startReferrersRegistry();
    await using oldTarget = connect(old.url);
    await using target = connect(recent.url);
    assert.deepEqual(await probe(oldTarget, 'never/pushed'), { referrers: 'tag' });
    assert.deepEqual(await probe(target, REPOSITORY), { referrers: 'api' });
    assert.deepEqual(await probe(target, 'team/other'), { referrers: 'api' });
    assert.deepEqual(recent.requests, [`GET /v2/${REPOSITORY}/referrers/sha256:${'0'.repeat(64)}`]);
  });

  test('cannot be said when the registry denies or fails', async () => {
    await using registry = await startReferrersRegistry();
    await using target = connect(registry.url);
    registry.manner.referrers = { status: 403, code: 'DENIED', message: 'no' };
    await assert.rejects(probe(target, REPOSITORY), { code: 'registry-forbidden' });
    registry.manner.referrers = { status: 500, code: 'UNKNOWN', message: 'no' };
    await assert.rejects(probe(target, REPOSITORY), { code: 'registry-unavailable' });
    registry.manner.referrers = 'api';
    assert.deepEqual(await probe(target, REPOSITORY), { referrers: 'api' });
  });

  test('is shared by the registries of an installation', async () => {
    await using registry = await startReferrersRegistry();
    const now = () => new Date('2026-01-02T03:04:05Z');
    const memo = createCapabilityMemo({ now });
    const dependencies = {
      userAgent: 'attestry-test',
      now,
      secrets: () => assert.fail('no secret is named'),
      unlisted: 'allow' as const,
      memo,
    };
    const registries = createRegistries([], dependencies);
    try {
      await probe(registries.target(registry.host), REPOSITORY);
    } finally {
      await registries.close();
    }
    assert.deepEqual(memo.export(), [
      { registry: registry.host, what: 'referrers-api', holds: true, at: '2026-01-02T03:04:05.000Z' },
    ]);
  });
});

describe('a tag that stays as it is', () => {
  for (const [name, refusal] of Object.entries({ ECR, Harbor: HARBOR_TAG })) {
    test(`is told as such, and known from then on (${name})`, async () => {
      await using registry = await startReferrersRegistry({ immutable: refusal });
      await using target = connect(registry.url);
      await target.pushManifest(REPOSITORY, 'x', await image(target, 'one'), OCI_MANIFEST);
      await target.pushManifest(REPOSITORY, 'x', await image(target, 'one'), OCI_MANIFEST);
      assert.equal((await probe(target, REPOSITORY)).immutableTags, undefined);
      const two = await image(target, 'two');
      await assert.rejects(target.pushManifest(REPOSITORY, 'x', two, OCI_MANIFEST), (error) => {
        assert.ok(error instanceof AppError && error.code === 'tag-immutable');
        assert.match(error.message, new RegExp(`writing manifest x of team/app: .* ${refusal.status} ${refusal.code}`));
        assert.match(error.mend ?? '', /sha256-\*/);
        return true;
      });
      assert.equal((await probe(target, REPOSITORY)).immutableTags, true);
      assert.equal((await probe(target, 'team/other')).immutableTags, undefined);
    });
  }

  test('refuses the second referrer where the list is kept at a tag, also when If-Match is minded', async () => {
    for (const conditional of [true, false]) {
      await using registry = await startReferrersRegistry({
        referrers: { status: 404, code: 'NOT_FOUND', message: '' },
        immutable: HARBOR_TAG,
        conditional,
      });
      await using target = connect(registry.url);
      await pushReferrer(target, REPOSITORY, sha256('an image'), 'first');
      await assert.rejects(pushReferrer(target, REPOSITORY, sha256('an image'), 'second'), { code: 'tag-immutable' });
    }
  });
});

describe('want of room', () => {
  test('is told as such for blobs and manifests', async () => {
    await using registry = await startReferrersRegistry({ quota: { bytes: 1024, refusal: HARBOR_QUOTA } });
    await using target = connect(registry.url);
    const bytes = await image(target, 'fits');
    await target.pushManifest(REPOSITORY, 'fits', bytes, OCI_MANIFEST);
    const large = Buffer.alloc(1024, 1);
    await assert.rejects(target.pushBlob(REPOSITORY, large, OCI_CONFIG), { code: 'registry-quota' });
    registry.manner.quota = { bytes: 10, refusal: HARBOR_QUOTA };
    await assert.rejects(target.pushManifest(REPOSITORY, 'more', bytes, OCI_MANIFEST), {
      code: 'registry-quota',
      mend: /raise its quota/,
    });
    assert.equal((await probe(target, REPOSITORY)).quotaExceeded, true);
  });
});

test('a path that Docker Hub cannot hold is refused before anything is sent', async () => {
  const registries = createRegistries([], {
    userAgent: 'attestry-test',
    now: () => new Date(),
    secrets: () => assert.fail('no secret is named'),
    unlisted: 'allow',
  });
  try {
    const target = registries.target('index.docker.io');
    const refused = { code: 'path-too-deep', message: /docker\.io takes repository paths of 2 levels/ };
    await assert.rejects(target.pushBlob('team/app/evidence', Buffer.from('x'), OCI_CONFIG), refused);
    await assert.rejects(target.pushManifest('team/app/evidence', 'x', Buffer.from('{}'), OCI_MANIFEST), refused);
  } finally {
    await registries.close();
  }
});

test('a registry that is a folder of layouts dials nobody', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'attestry-layouts-'));
  t.after(() => rm(directory, { recursive: true }));
  const options = RegistryOptions.parse({ name: 'layouts.local', directory });
  const registries = createRegistries([options], {
    userAgent: 'attestry-test',
    now: () => new Date(),
    secrets: () => assert.fail('no secret is named'),
    unlisted: 'refuse',
  });
  const target = registries.target('layouts.local');
  await target.pushManifest(REPOSITORY, '1.0', await image(target, 'here'), OCI_MANIFEST);
  assert.deepEqual(await readdir(join(directory, REPOSITORY)), ['blobs', 'index.json', 'oci-layout']);
  assert.equal((await probe(target, REPOSITORY)).referrers, 'api');
  await registries.close();
});

async function image(target: Target, text: string): Promise<Buffer> {
  const config = await target.pushBlob(REPOSITORY, Buffer.from(JSON.stringify({ text })), OCI_CONFIG);
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }));
}
