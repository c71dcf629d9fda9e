import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPace } from '#copy/pace.ts';
import { createPersist } from '#copy/persist.ts';
import { createLanes } from '#copy/transfer.ts';
import { AppError } from '#model/errors.ts';

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

  it('lets bytes through at their rate', async () => {
    const clock = sleeper();
    const pace = createPace({ bytesPerSecond: 1000, ...clock });
    for (let count = 0; count < 5; count++) await pace.bytes(500);
    assert.equal(clock.elapsed(), 2000);
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
