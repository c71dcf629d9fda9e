import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { decideRetry, RETRY_LIMITS } from '#queue/retry.ts';

const first = { failed: 0, uncounted: 0, spread: 0.5 };

test('permanent: buried with its reason, however early', () => {
  const decision = decideRetry(new AppError('digest-mismatch', 'not the bytes'), first);
  assert.deepEqual(decision, {
    kind: 'bury',
    reason: { class: 'permanent', code: 'digest-mismatch', message: 'not the bytes', exhausted: false },
  });
});

test('throttled: waits as long as it was told, costs no attempt, and has a bound', () => {
  const told = new AppError('registry-throttled', 'slow down', { retryAfterMs: 30_000 });
  const decision = decideRetry(told, first);
  assert.ok(decision.kind === 'wait' && decision.delayMs >= 30_000 && decision.delayMs <= 33_000);
  assert.equal(decideRetry(told, { ...first, failed: 1000 }).kind, 'wait');
  const last = decideRetry(told, { ...first, uncounted: RETRY_LIMITS.waits });
  assert.ok(last.kind === 'bury' && last.reason.exhausted);
});

test('throttled without or with an absurd time: a sensible one', () => {
  for (const retryAfterMs of [undefined, 0, -5, Number.MAX_SAFE_INTEGER]) {
    const error = new AppError('registry-throttled', 'slow down', retryAfterMs === undefined ? {} : { retryAfterMs });
    const decision = decideRetry(error, first);
    assert.ok(decision.kind === 'wait' && decision.delayMs >= 1000 && decision.delayMs <= 2 * 3_600_000);
  }
});

test('not yet there: about two minutes, then buried', () => {
  let total = 0;
  let failed = 0;
  for (;;) {
    const decision = decideRetry(new AppError('not-found', 'no manifest'), { ...first, failed });
    if (decision.kind !== 'retry') {
      assert.ok(decision.kind === 'bury' && decision.reason.code === 'not-found');
      break;
    }
    total += decision.delayMs;
    failed += 1;
  }
  assert.ok(total >= 110_000 && total <= 130_000, `${total}`);
});

test('not yet there: looked for as long as is configured, last at the end of that time', () => {
  const looks = (visibleWithinMs: number) => {
    const delays: number[] = [];
    for (;;) {
      const tries = { ...first, failed: delays.length };
      const decision = decideRetry(new AppError('not-found', 'none'), tries, { ...RETRY_LIMITS, visibleWithinMs });
      if (decision.kind !== 'retry') return delays;
      delays.push(decision.delayMs);
    }
  };
  assert.deepEqual(looks(0), []);
  assert.deepEqual(looks(500), [500]);
  assert.deepEqual(looks(5000), [1000, 2000, 2000]);
  const hour = looks(3_600_000);
  assert.equal(
    hour.reduce((sum, delay) => sum + delay, 0),
    3_600_000,
  );
  assert.equal(hour.at(-2), 60_000);
});

test('transient: growing delays that differ between jobs, bounded, then buried', () => {
  const error = new AppError('registry-unavailable', '503');
  const delays: number[] = [];
  for (let failed = 0; failed < RETRY_LIMITS.transientAttempts - 1; failed++) {
    const decision = decideRetry(error, { ...first, failed, spread: 1 });
    assert.ok(decision.kind === 'retry');
    delays.push(decision.delayMs);
  }
  assert.deepEqual(
    delays,
    delays.toSorted((a, b) => a - b),
  );
  assert.equal(delays[0], 1000);
  assert.equal(delays.at(-1), 600_000);
  const low = decideRetry(error, { ...first, failed: 3, spread: 0 });
  assert.ok(low.kind === 'retry' && low.delayMs === 4000);
  const last = decideRetry(error, { ...first, failed: RETRY_LIMITS.transientAttempts - 1 });
  assert.ok(last.kind === 'bury' && last.reason.exhausted);
});

test('transient with Retry-After: never earlier than asked', () => {
  const error = new AppError('registry-unavailable', '503', { retryAfterMs: 60_000 });
  const decision = decideRetry(error, first);
  assert.ok(decision.kind === 'retry' && decision.delayMs >= 60_000);
});

test('stopped from outside: back to the queue', () => {
  assert.deepEqual(decideRetry(new AppError('canceled', 'stopping'), { ...first, failed: 99 }), { kind: 'release' });
});
