import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
import type { ImageJob } from '#model/job.ts';
import type { SweepMemory } from '#model/sweep.ts';
import { SweepOptions } from '#model/sweep-options.ts';
import { type SweepParts, sweepRegistry } from '#reconcile/sweep.ts';

const REGISTRY = 'registry.example.com';
const NOW = new Date('2026-03-02T10:15:31Z');

function nothingSwept() {
  const done = new Set<string>();
  const ends: string[] = [];
  const memory: SweepMemory = {
    tags: async () => new Map(),
    note: async () => {},
    forget: async () => {},
    lastBegun: async () => undefined,
    begin: async () => NOW,
    done: async (_registry, repository) => void done.add(repository),
    isDone: async (_registry, repository) => done.has(repository),
    end: async (registry) => void ends.push(registry),
    stopped: async () => undefined,
    noteStop: async () => {},
    hold: async () => true,
    giveBack: async () => {},
  };
  return { memory, ends, done };
}

function sweep(broken: Readonly<Record<string, ErrorCode>>, names = ['team/a', 'team/b', 'team/c']) {
  const jobs: ImageJob[] = [];
  const swept = nothingSwept();
  const parts: SweepParts = {
    registry: REGISTRY,
    memory: swept.memory,
    settings: SweepOptions.parse({}),
    evidenceRepositories: new Set(),
    catalog: {
      async *repositories() {
        yield* names;
      },
      async *tags(repository) {
        const code = broken[repository];
        if (code) throw new AppError(code, `${repository} is broken`);
        yield { tag: '1.0', digest: sha256(repository) };
        for (let at = 0; repository === 'team/many' && at < 100_000; at++) yield { tag: '1.0' };
      },
      digestOf: async () => undefined,
    },
    ledger: { latest: async () => [] },
    enqueue: async (job) => void jobs.push(job),
    isWanted: () => true,
    isEvidenceTag: () => false,
    now: () => NOW,
    traceparent: () => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    dryRun: false,
    signal: new AbortController().signal,
    paced: (_repository, work) => work(),
  };
  const enqueued = () => jobs.map(({ image }) => image.repository);
  return { ...swept, enqueued, run: () => sweepRegistry(parts) };
}

test('a repository that cannot be looked through keeps none of those behind it from being swept', async () => {
  for (const code of ['registry-forbidden', 'registry-unauthorized', 'registry-protocol', 'not-found'] as const) {
    const { run, enqueued, ends, done } = sweep({ 'team/a': code });
    const { repositories, failed, why, gaps } = await run();
    assert.deepEqual(enqueued(), ['team/b', 'team/c'], code);
    assert.deepEqual(
      { repositories, failed, why, gaps },
      { repositories: 2, failed: 1, why: 'team/a is broken', gaps: 2 },
    );
    assert.ok(!done.has('team/a'));
    assert.equal(ends.length, 1);
  }
});

test('what may pass by itself stops a sweep, which then goes on', async () => {
  for (const code of ['registry-throttled', 'registry-unavailable', 'redis-unavailable', 'over-budget'] as const) {
    const { run, enqueued, ends } = sweep({ 'team/b': code });
    await assert.rejects(run(), { code });
    assert.deepEqual(enqueued(), ['team/a']);
    assert.equal(ends.length, 0);
  }
});

test('a registry of which nothing could be looked at was not swept', async () => {
  const { run, ends } = sweep({ 'team/a': 'registry-unauthorized' }, ['team/a']);
  await assert.rejects(run(), { code: 'registry-unauthorized' });
  assert.equal(ends.length, 0);
});

test('a repository of more tags than are looked at is not told as swept', async () => {
  const { failed, repositories } = await sweep({}, ['team/many', 'team/b']).run();
  assert.deepEqual({ failed, repositories }, { failed: 1, repositories: 1 });
});
