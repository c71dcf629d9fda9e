import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseRetryAfter } from '#http/retry-after.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const HOUR = 3_600_000;

it('reads seconds and HTTP dates', () => {
  assert.equal(parseRetryAfter('7', NOW), 7000);
  assert.equal(parseRetryAfter(' 0 ', NOW), 0);
  assert.equal(parseRetryAfter('Sun, 01 Mar 2026 12:00:30 GMT', NOW), 30_000);
  assert.equal(parseRetryAfter('Sunday, 01-Mar-26 12:00:30 GMT', NOW), 30_000);
});

it('never waits longer than an hour, nor a negative time', () => {
  assert.equal(parseRetryAfter('999999999999999999999', NOW), HOUR);
  assert.equal(parseRetryAfter('Tue, 01 Mar 2050 12:00:00 GMT', NOW), HOUR);
  assert.equal(parseRetryAfter('Sun, 01 Mar 2020 12:00:00 GMT', NOW), 0);
});

it('knows nothing of what is neither', () => {
  for (const text of [undefined, '', 'soon', '-5', '1.5', 'Later today']) {
    assert.equal(parseRetryAfter(text, NOW), undefined, text);
  }
});
