import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, sha256 } from '#model/digest.ts';
import { connectRedis } from '#redis/connection.ts';
import { createKeys } from '#redis/keys.ts';
import { createTagNames } from '#redis/tag-names.ts';
import { startRedis } from '../../support/redis.ts';

test('what a tag was seen to name is kept with the newest time of it, and not dropped for another name', async () => {
  const redis = await startRedis();
  const connection = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
  try {
    const names = createTagNames(connection.client, { prefix: 'p' });
    const repository = 'registry.example/team/app';
    const [first, second] = [sha256('first'), sha256('second')];
    const name = (digest: Digest, minute: number) => ({ digest, at: new Date(Date.UTC(2026, 2, 1, 10, minute)) });
    assert.equal(await names.named(repository, '1.0'), undefined);
    await names.note(repository, '1.0', name(first, 5));
    assert.deepEqual(await names.named(repository, '1.0'), name(first, 5));
    await names.note(repository, '1.0', name(first, 3));
    assert.deepEqual(await names.named(repository, '1.0'), name(first, 5), 'the newest time stays');
    await names.note(repository, '1.0', name(second, 4));
    assert.deepEqual(await names.named(repository, '1.0'), name(second, 4));
    assert.equal(await names.named(repository, '2.0'), undefined);
    assert.equal(await names.named('registry.example/team/other', '1.0'), undefined);
    await names.drop(repository, '1.0', first);
    assert.deepEqual(await names.named(repository, '1.0'), name(second, 4));
    await names.drop(repository, '1.0', second);
    assert.equal(await names.named(repository, '1.0'), undefined);
    await names.note(repository, '1.0', name(first, 5));
    const days = (await connection.client.pttl(createKeys('p').tagNames(repository))) / 86_400_000;
    assert.ok(days > 365 && days <= 400, `${days} days`);
  } finally {
    await connection.close();
    await redis.stop();
  }
});
