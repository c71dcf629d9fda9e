import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { createPace } from '#copy/pace.ts';
import { createPersist } from '#copy/persist.ts';
import { createBlobCarrier, createLanes } from '#copy/transfer.ts';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { createLayoutTarget } from '#oci/layout-directory.ts';
import { makeScratch } from '../../support/scratch.ts';

/** A clock that moves only when somebody sleeps, to the end of each sleep. */
function sleeper() {
  let at = 1000;
  return {
    now: () => at,
    sleep: async (ms: number) => {
      at += ms;
    },
    elapsed: () => at - 1000,
  };
}

describe('the budget of a registry', () => {
  it('spreads requests over the second, for each registry by itself', async () => {
    const clock = sleeper();
    const pace = createPace({ requestsPerSecond: 4, ...clock });
    for (let count = 0; count < 9; count++) await pace.turn('a.test');
    assert.equal(clock.elapsed(), 2000);
    await pace.turn('b.test');
    assert.equal(clock.elapsed(), 2000);
  });

  it('lets bytes through at their rate, for each registry by itself', async () => {
    const clock = sleeper();
    const pace = createPace({ bytesPerSecond: 1000, ...clock });
    for (let count = 0; count < 5; count++) await pace.bytes(['a.test', 'b.test'], 500);
    assert.equal(clock.elapsed(), 2000);
    await pace.bytes(['c.test', 'd.test'], 500);
    assert.equal(clock.elapsed(), 2000);
    // The one side has waited already; the other has had nothing yet.
    await pace.bytes(['c.test', 'a.test'], 500);
    assert.equal(clock.elapsed(), 2500);
    await pace.bytes([], 1_000_000);
    assert.equal(clock.elapsed(), 2500);
  });

  it('counts within one registry what is read and what is written', async () => {
    const clock = sleeper();
    const pace = createPace({ bytesPerSecond: 1000, ...clock });
    for (let count = 0; count < 3; count++) await pace.bytes(['a.test', 'a.test'], 500);
    assert.equal(clock.elapsed(), 2500);
  });

  it('is asked for both sides of a transfer, and for no folder', async () => {
    await using scratch = await makeScratch();
    const bytes = Buffer.alloc(100_000, 'x');
    const blob = { mediaType: 'application/octet-stream', digest: sha256(bytes), size: bytes.length };
    const asked = new Map<string, number>();
    const pace = {
      bytes: async (registries: readonly string[], count: number) => {
        for (const registry of registries) asked.set(registry, (asked.get(registry) ?? 0) + count);
      },
    };
    const carrier = createBlobCarrier({ pace, persist: (_registry, step) => step(), concurrency: 1 });
    const [one, two, three] = ['one', 'two', 'three'].map((name) => createLayoutTarget(scratch.at(name), 'single'));
    assert.ok(one && two && three);
    await one.takeBlob('app', blob, async () => Readable.from([bytes]));
    const from = { target: one, registry: 'one.test', repository: 'app' };
    const to = { target: two, registry: 'two.test', repository: 'app' };
    await carrier.bring({ from, to }, blob);
    await carrier.bring(
      { from: to, to: { target: three, registry: '/folder', repository: 'app', isFolder: true } },
      blob,
    );
    assert.deepEqual(
      [...asked],
      [
        ['one.test', bytes.length],
        ['two.test', 2 * bytes.length],
      ],
    );
  });

  it('leaves a registry alone for as long as it asks, and no other', async () => {
    const clock = sleeper();
    const pace = createPace(clock);
    const persist = createPersist({ pace, sleep: clock.sleep });
    const waits: number[] = [];
    let calls = 0;
    const answer = await persist('a.test', async () => {
      await pace.turn('a.test');
      waits.push(clock.elapsed());
      calls += 1;
      if (calls < 3) throw new AppError('registry-throttled', 'later', { retryAfterMs: 7000 });
      return 'done';
    });
    assert.equal(answer, 'done');
    assert.deepEqual(waits, [0, 7000, 14_000]);
    pace.pause('a.test', 60_000);
    await pace.turn('b.test');
    assert.equal(clock.elapsed(), 14_000);
    await pace.turn('a.test');
    assert.equal(clock.elapsed(), 74_000);
  });

  it('tries again what may pass, with growing waits, and gives up in the end', async () => {
    const clock = sleeper();
    const persist = createPersist({ pace: createPace(clock), ...clock });
    let calls = 0;
    const failing = persist('a.test', async () => {
      calls += 1;
      throw new AppError('network', 'the connection broke');
    });
    await assert.rejects(failing, /the connection broke/);
    assert.equal(calls, 5);
    assert.equal(clock.elapsed(), 500 + 1000 + 2000 + 4000);
  });

  it('does not try again what cannot pass', async () => {
    const clock = sleeper();
    const persist = createPersist({ pace: createPace(clock), ...clock });
    for (const code of ['not-found', 'registry-forbidden', 'digest-mismatch', 'internal'] as const) {
      let calls = 0;
      const failing = persist('a.test', async () => {
        calls += 1;
        throw new AppError(code, 'no');
      });
      await assert.rejects(failing);
      assert.equal(calls, 1, code);
    }
  });

  it('runs no more at once than there are lanes, each in its turn', async () => {
    const inLane = createLanes(2);
    const order: number[] = [];
    let busy = 0;
    let most = 0;
    await Promise.all(
      [0, 1, 2, 3, 4].map((each) =>
        inLane(async () => {
          busy += 1;
          most = Math.max(most, busy);
          order.push(each);
          await new Promise((resolve) => setImmediate(resolve));
          busy -= 1;
          if (each === 1) throw new Error('one that fails makes room too');
        }).catch(() => {}),
      ),
    );
    assert.equal(most, 2);
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
  });
});
