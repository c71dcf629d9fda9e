import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WorkerHealth, whyNotAlive } from '#queue/worker-health.ts';

const idle: WorkerHealth = {
  lane: 'push',
  running: 0,
  concurrency: 4,
  connected: true,
  sincePollMs: 4000,
  sinceFinishMs: 9_000_000,
};

test('an idle worker that asks for jobs lives', () => {
  assert.equal(whyNotAlive(idle), undefined);
});

test('connected and deaf: not alive, and the lane is named', () => {
  assert.match(whyNotAlive({ ...idle, sincePollMs: 120_000 }) ?? '', /push.*120 s/);
});

test('a worker that ends jobs needs not ask', () => {
  assert.equal(whyNotAlive({ ...idle, sincePollMs: 120_000, sinceFinishMs: 1000 }), undefined);
});

test('full slots are work, until nothing has ended for too long', () => {
  const full = { ...idle, running: 4, sincePollMs: 600_000 };
  assert.equal(whyNotAlive({ ...full, sinceFinishMs: 600_000 }), undefined);
  assert.match(whyNotAlive({ ...full, sinceFinishMs: 3_600_000 }) ?? '', /busy/);
});

test('while Redis is away a restart would not help', () => {
  assert.equal(whyNotAlive({ ...idle, connected: false, sincePollMs: 9_000_000 }), undefined);
});
