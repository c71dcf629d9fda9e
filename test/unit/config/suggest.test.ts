import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggest, suggestion } from '#config/suggest.ts';

test('the nearest word within reason is suggested', () => {
  const keys = ['registries', 'repository', 'onLapse', 'info', 'ca'];
  assert.equal(suggest('regstries', keys), 'registries');
  assert.equal(suggest('on_lapse', keys), 'onLapse');
  assert.equal(suggest('ONLAPSE', keys), 'onLapse');
  assert.equal(suggest('inof', keys), 'info');
  assert.equal(suggest('cb', keys), 'ca');
  assert.equal(suggest('policies', keys), undefined);
  assert.equal(suggest('', keys), undefined);
  assert.equal(suggest('x'.repeat(100_000), keys), undefined);
});

test('without a near word the known ones are listed, not too many', () => {
  assert.equal(suggestion('x', []), 'none is configured');
  assert.equal(suggestion('zzzz', ['alpha', 'beta']), 'known: alpha, beta');
  assert.match(
    suggestion(
      'zzzz',
      Array.from({ length: 30 }, (_, index) => `name-${index}`),
    ),
    /name-11, …$/,
  );
});
