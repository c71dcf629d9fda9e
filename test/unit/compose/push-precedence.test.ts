import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPushPrecedence } from '#compose/push-precedence.ts';

/** Longer than any test: only the end of the pushes can end the wait. */
const NEVER_MS = 10 * 60_000;

test('other work steps back until the last push has ended', async () => {
  const precedence = createPushPrecedence(NEVER_MS);
  await precedence.stepBack();
  const [first, second] = [precedence.begin(), precedence.begin()];
  let gone = false;
  const waited = Promise.all([precedence.stepBack(), precedence.stepBack()]).then(() => {
    gone = true;
  });
  first[Symbol.dispose]();
  await Promise.resolve();
  assert.equal(gone, false);
  second[Symbol.dispose]();
  await waited;
  await precedence.stepBack();
});

test('under pushes without end it is held up for a bounded time', async () => {
  const precedence = createPushPrecedence(5);
  using _push = precedence.begin();
  for (let call = 0; call < 3; call++) await precedence.stepBack();
});

test('what is stopped waits no longer', async () => {
  const precedence = createPushPrecedence(NEVER_MS);
  using _push = precedence.begin();
  const stop = new AbortController();
  const waited = precedence.stepBack(stop.signal);
  stop.abort();
  await waited;
  await precedence.stepBack(stop.signal);
});
