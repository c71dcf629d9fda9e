import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError, type ErrorCode } from '#model/errors.ts';
import type { SweepStop } from '#model/sweep.ts';
import { isNews, stopAfter } from '#reconcile/sweep-stop.ts';

const AT = new Date('2026-03-02T10:15:31Z');

/** Minutes of the waits after so many stops in a row. */
function waits(code: ErrorCode, times: number, retryAfterMs?: number): readonly number[] {
  let stop: SweepStop | undefined;
  return Array.from({ length: times }, () => {
    const error = new AppError(code, 'no', retryAfterMs === undefined ? {} : { retryAfterMs });
    stop = stopAfter(stop, error, { at: AT, cameFurther: false });
    return (stop.retryAt.getTime() - AT.getTime()) / 60_000;
  });
}

test('waits double, end at a bound by whether time or people mend it, and are as long as the registry asks', () => {
  assert.deepEqual(waits('registry-unavailable', 8), [0.5, 1, 2, 4, 8, 15, 15, 15]);
  assert.deepEqual(waits('registry-unauthorized', 9), [0.5, 1, 2, 4, 8, 16, 32, 60, 60]);
  assert.deepEqual(waits('registry-throttled', 4, 180_000), [3, 3, 3, 4]);
  assert.deepEqual(waits('over-budget', 3), [0.5, 0.5, 0.5], 'who waits for a place has done nothing wrong');
});

test('a sweep that came further begins its waits anew, and is still the same trouble', () => {
  const error = new AppError('registry-unavailable', 'no');
  const first = stopAfter(undefined, error, { at: AT, cameFurther: false });
  const later = new Date(AT.getTime() + 60_000);
  const next = stopAfter({ ...first, stops: 7, told: true }, error, { at: later, cameFurther: true });
  assert.deepEqual(next, { since: AT, stops: 1, retryAt: new Date(later.getTime() + 30_000), told: true, over: false });
});

test('what people must mend is told at once, what may pass when it lasts, and neither twice', () => {
  const stop = stopAfter(undefined, new AppError('network', 'no'), { at: AT, cameFurther: false });
  const refused = new AppError('registry-unauthorized', 'no');
  const broken = new AppError('network', 'no');
  assert.deepEqual([isNews(stop, refused), isNews(stop, broken)], [true, false]);
  assert.ok(isNews({ ...stop, stops: 6 }, broken));
  assert.ok(!isNews({ ...stop, stops: 6, told: true }, refused));
});
