import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { createKeys } from '#redis/keys.ts';

const location = { registry: 'registry.example', repository: 'team/app', digest: sha256('app') };

function tagOf(key: string): string | undefined {
  return /\{(.+?)\}/.exec(key)?.[1];
}

test('keys that a lock script touches lie on one node', () => {
  const keys = createKeys('attestry');
  assert.equal(tagOf(keys.lock(location)), tagOf(keys.fence(location)));
});

test('each queue has a node of its own to go to', () => {
  const keys = createKeys('attestry');
  const tags = (['push', 'cause', 'backfill', 'deliver', 'wake'] as const).map((lane) => tagOf(keys.queue(lane)));
  assert.equal(new Set(tags).size, 5);
});

test('one digest in two repositories with one evidence repository is one location', () => {
  const keys = createKeys('attestry');
  assert.equal(keys.lock(location), keys.lock({ ...location }));
  assert.notEqual(keys.lock(location), keys.lock({ ...location, repository: 'team/other' }));
});

test('names that a sender chooses never choose a key', () => {
  const keys = createKeys('attestry');
  const hostile = ['a}:lock', '{ledger}:due', 'x\ny', '*', 'é'.repeat(5000)];
  for (const name of hostile) {
    for (const key of [keys.delivery(name, name), keys.rate(name), keys.hostPause(name), keys.image(name).states]) {
      assert.match(key, /^attestry:\{[0-9a-f]{32}\}:[a-z-]+$/);
    }
  }
  assert.notEqual(keys.delivery('a', 'b\nc'), keys.delivery('a\nb', 'd'));
});

test('a prefix that could break the hash tags is refused by name', () => {
  for (const prefix of ['', 'a{b}', 'a:b', 'a b', 'x'.repeat(65)]) {
    assert.throws(
      () => createKeys(prefix),
      (error) => error instanceof AppError && error.code === 'config-invalid' && error.field === 'redis.prefix',
    );
  }
});
