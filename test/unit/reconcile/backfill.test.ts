import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { matchesAny } from '#model/rule.ts';
import { estimateBackfill } from '#reconcile/backfill-estimate.ts';
import { parseHours, shareOfDay, untilHours } from '#reconcile/backfill-hours.ts';
import { CHUNK_TAGS, planBackfill } from '#reconcile/backfill-plan.ts';

const HOUR_MS = 3_600_000;

describe('hours of the day', () => {
  const night = parseHours('22-6', 'Europe/Berlin');

  test('over midnight, in their own zone, by summer and by winter', () => {
    assert.equal(untilHours(night, new Date('2026-07-01T20:30:00Z')), 0, '22:30 there');
    assert.equal(untilHours(night, new Date('2026-07-01T03:59:59Z')), 0, '5:59 there');
    assert.equal(untilHours(night, new Date('2026-07-01T19:30:00Z')), HOUR_MS / 2, '21:30 there');
    assert.equal(untilHours(night, new Date('2026-01-01T20:30:00Z')), HOUR_MS / 2, '21:30 there');
    assert.equal(untilHours(night, new Date('2026-07-01T04:00:00Z')), 16 * HOUR_MS, '6:00 there');
    assert.equal(untilHours(undefined, new Date(0)), 0);
  });

  test('the night when clocks go forward is an hour shorter', () => {
    assert.equal(untilHours(parseHours('3-5', 'Europe/Berlin'), new Date('2026-03-29T00:30:00Z')), HOUR_MS / 2);
  });

  test('a zone of a quarter of an hour', () => {
    const wait = untilHours(parseHours('9-17', 'Asia/Kathmandu'), new Date('2026-07-01T03:00:00Z'));
    assert.equal(wait, HOUR_MS / 4);
  });

  test('share of the day', () => {
    assert.equal(shareOfDay(night), 8 / 24);
    assert.equal(shareOfDay(parseHours('0-24', 'UTC')), 1);
    assert.equal(shareOfDay(undefined), 1);
  });

  for (const [text, zone, field] of [
    ['22', 'UTC', '--hours'],
    ['22-25', 'UTC', '--hours'],
    ['6-6', 'UTC', '--hours'],
    ['22-6', 'Mars/Olympus', '--timezone'],
  ] as const) {
    test(`${text} ${zone} is refused, with a mend`, () => {
      assert.throws(
        () => parseHours(text, zone),
        (error) => error instanceof AppError && error.field === field && error.mend !== undefined,
      );
    });
  }
});

describe('what a backfill takes', () => {
  const input = { images: 1000, registries: ['a'], concurrency: 4, requestsPerSecond: 0 };
  const sample = (registry: string, requests: number) => ({ registry, requests, sentBytes: 10_000, ms: 2000 });

  test('is the mean of what was measured at these registries', () => {
    const samples = [sample('a', 20), sample('a', 40), sample('b', 400)];
    const expected = { requests: 30_000, sentBytes: 10_000_000, ms: 500_000, measured: 2, same: true };
    assert.deepEqual(estimateBackfill({ ...input, samples }), expected);
  });

  test('is that of other registries where these have none, and says so; built-in where nothing was measured', () => {
    const { requests, measured, same } = estimateBackfill({ ...input, samples: [sample('b', 10)] });
    assert.deepEqual([requests, measured, same], [10_000, 1, false]);
    assert.equal(estimateBackfill({ ...input, samples: [] }).measured, 0);
  });

  test('takes the budget of the registry and the hours of the day into account', () => {
    const samples = [sample('a', 30)];
    assert.equal(estimateBackfill({ ...input, samples, requestsPerSecond: 10 }).ms, 3_000_000);
    const hours = parseHours('22-6', 'UTC');
    assert.equal(estimateBackfill({ ...input, samples, hours }).ms, 1_500_000);
  });
});

test('a plan holds the tags of images that a rule names, in bounded chunks', async () => {
  const tags: Readonly<Record<string, readonly string[]>> = {
    'team/app': Array.from({ length: CHUNK_TAGS + 1 }, (_, at) => `1.${at}`),
    'team/other': ['latest', 'sha256-abc.sig'],
    'ops/tool': ['1'],
    evidence: ['1'],
    '../odd': ['1'],
  };
  const catalog = {
    async *repositories() {
      yield* Object.keys(tags);
    },
    async *tags(repository: string) {
      for (const tag of tags[repository] ?? []) yield { tag };
    },
  };
  const chunks = planBackfill({
    registries: [{ registry: 'a', catalog }],
    repositories: ['team/**', 'evidence'],
    isWanted: ({ repository }) => !matchesAny(['none/**'], repository),
    isEvidenceTag: (tag) => tag.startsWith('sha256-'),
    evidenceRepositories: new Set(['a/evidence']),
    signal: new AbortController().signal,
  });
  const sizes: unknown[] = [];
  for await (const chunk of chunks) sizes.push([chunk.repository, chunk.tags.length]);
  assert.deepEqual(sizes, [
    ['team/app', CHUNK_TAGS],
    ['team/app', 1],
    ['team/other', 1],
  ]);
});
