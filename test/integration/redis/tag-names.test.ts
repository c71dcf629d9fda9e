import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { connectRedis } from '#redis/connection.ts';
import { createKeys } from '#redis/keys.ts';
import { createTagNames } from '#redis/tag-names.ts';
import { startRedis } from '../../support/redis.ts';

test('what a tag named before is told when it is seen to name another image, and a newer name is not dropped', async () => {
  const redis = await startRedis();
  const connection = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
  try {
    const names = createTagNames(connection.client, { prefix: 'p' });
    const repository = 'registry.example/team/app';
    const [first, second] = [sha256('first'), sha256('second')];
    assert.equal(await names.note(repository, '1.0', first), undefined);
    assert.equal(await names.note(repository, '1.0', first), first);
    assert.equal(await names.note(repository, '1.0', second), first);
    assert.equal(await names.named(repository, '1.0'), second);
    assert.equal(await names.named(repository, '2.0'), undefined);
    assert.equal(await names.named('registry.example/team/other', '1.0'), undefined);
    await names.drop(repository, '1.0', first);
    assert.equal(await names.named(repository, '1.0'), second);
    await names.drop(repository, '1.0', second);
    assert.equal(await names.named(repository, '1.0'), undefined);
    await names.note(repository, '1.0', first);
    const days = (await connection.client.pttl(createKeys('p').tagNames(repository))) / 86_400_000;
    assert.ok(days > 365 && days <= 400, `${days} days`);
  } finally {
    await connection.close();
    await redis.stop();
  }
});
