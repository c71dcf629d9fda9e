import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { AppError } from '#model/errors.ts';
import type { TrustMaterial } from '#trust/material.ts';
import { createTrustSource, type TrustRefresh, type TrustSource } from '#trust/trust-source.ts';

const START = new Date('2026-06-01T12:00:00Z').getTime();
const HOUR_MS = 3_600_000;

describe('trust material that is fetched', () => {
  let now: number;
  let published: string | AppError;
  let kept: TrustMaterial | undefined;
  let fetches: number;
  let told: TrustRefresh[];
  let source: TrustSource;

  beforeEach(() => {
    now = START;
    published = 'one';
    kept = undefined;
    fetches = 0;
    told = [];
    source = createTrustSource({
      id: 't',
      name: 'trust t',
      repository: {
        kept: async () => kept,
        fetch: async () => {
          fetches += 1;
          if (typeof published !== 'string') throw published;
          return material(published);
        },
      },
      check(bytes) {
        if (Buffer.from(bytes).toString() === 'unreadable') throw new AppError('trust-unreadable', 'it is none');
      },
      now: () => new Date(now),
      onRefresh: (refresh) => told.push(refresh),
    });
  });

  function material(text: string): TrustMaterial {
    return { bytes: Buffer.from(text), expires: new Date(now + 72 * HOUR_MS), fetchedAt: new Date(now) };
  }

  const current = () => Buffer.from(source.current().bytes).toString();
  const kinds = () => told.map(({ kind }) => kind);

  it('is there once it was opened', async () => {
    assert.throws(() => source.current(), { code: 'trust-unavailable' });
    await source.open();
    assert.equal(current(), 'one');
    assert.deepEqual(kinds(), ['fetched']);
  });

  it('is taken from what is kept while that is young, and fetched after a day', async () => {
    kept = material('kept');
    await source.open();
    assert.equal(current(), 'kept');
    now += 23 * HOUR_MS;
    await source.renew();
    assert.equal(fetches, 0);
    now += HOUR_MS;
    await source.renew();
    assert.equal(current(), 'one');
  });

  it('stays as it is while it cannot be fetched, says so, and ends when it expires', async () => {
    await source.open();
    published = new AppError('network', 'the mirror is away');
    now += 25 * HOUR_MS;
    await source.renew();
    assert.equal(current(), 'one');
    assert.deepEqual(told.at(-1), {
      kind: 'failed',
      id: 't',
      error: published,
      expires: new Date(START + 72 * HOUR_MS),
    });
    await source.renew();
    assert.equal(fetches, 2, 'it is not asked again at once');
    now = START + 73 * HOUR_MS;
    await source.renew();
    assert.equal(told.at(-1)?.kind === 'failed' && 'expires' in (told.at(-1) ?? {}), false);
    assert.throws(() => source.current(), {
      code: 'trust-unavailable',
      message: /ended at 2026-06-04.*the mirror is away/,
    });
    published = 'two';
    now += 60_000;
    await source.renew();
    assert.equal(current(), 'two');
  });

  it('is not taken when it verifies and cannot be read', async () => {
    await source.open();
    published = 'unreadable';
    now += 25 * HOUR_MS;
    await source.renew();
    assert.equal(current(), 'one');
    kept = material('unreadable');
    published = 'one';
    await source.open();
    assert.equal(current(), 'one');
  });

  it('is asked for again soon where there is none', async () => {
    published = new AppError('timeout', 'no answer');
    await source.open();
    assert.throws(() => source.current(), { code: 'trust-unavailable' });
    now += 31_000;
    published = 'late';
    await source.renew();
    assert.equal(current(), 'late');
  });
});
