import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { deadReason, formatDeadReason, parseDeadReason } from '#queue/dead-reason.ts';

test('a reason survives its way through the queue', () => {
  const reason = deadReason(new AppError('network', 'x'.repeat(5000)));
  assert.equal(reason.message.length, 500);
  assert.equal(reason.exhausted, true);
  assert.deepEqual(parseDeadReason(formatDeadReason(reason)), reason);
});

test('reasons of the queue itself and foreign texts are read as what they are', () => {
  assert.equal(parseDeadReason('job stalled more than allowable limit').code, 'job-poisoned');
  for (const text of [undefined, '', 'boom', '{"class":"permanent"}', '{"class":"x","code":"y"}', 'null', '[]']) {
    assert.equal(parseDeadReason(text).code, 'internal');
  }
  assert.equal(
    parseDeadReason('{"class":"permanent","code":"toString","message":"m","exhausted":true}').code,
    'internal',
  );
});
