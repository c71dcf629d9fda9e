import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { parsePayload, requireSmall } from '#queue/payload.ts';
import { deliverJob, imageJob } from '../../support/jobs.ts';

test('sound payloads pass as they are', () => {
  assert.deepEqual(parsePayload('push', imageJob('a')), { lane: 'push', job: imageJob('a') });
  assert.deepEqual(parsePayload('deliver', deliverJob('e')), { lane: 'deliver', job: deliverJob('e') });
});

test('members that are not of the job are left out', () => {
  const parsed = parsePayload('cause', { ...imageJob('a'), extra: 'x' });
  assert.ok(!('extra' in parsed.job));
});

test('a malformed payload is refused by the name of the member', () => {
  const cases: [unknown, string][] = [
    [{ ...imageJob('a'), v: 2 }, 'v'],
    [{ ...imageJob('a'), kind: 'paint' }, 'kind'],
    [{ ...imageJob('a'), image: { registry: 'r', repository: 'p', digest: 'sha256:xyz' } }, 'image.digest'],
    [null, '(payload)'],
    ['text', '(payload)'],
  ];
  for (const [payload, field] of cases) {
    assert.throws(
      () => parsePayload('push', payload),
      (error) => error instanceof AppError && error.code === 'job-malformed' && error.field === field,
      field,
    );
  }
});

test('a payload over the limit is refused', () => {
  requireSmall('push', imageJob('a'));
  assert.throws(() => requireSmall('deliver', { note: 'x'.repeat(300_000) }), /300011 bytes/);
});
