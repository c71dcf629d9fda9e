import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { transitionId } from '#ledger/transition-id.ts';
import type { CloudEvent } from '#model/event.ts';
import type { Ledger, Outbox, OutboxEntry } from '#model/ledger.ts';
import type { Reason } from '#model/verdict.ts';
import { at, IMAGE, OTHER, observation, verdict } from '../support/observations.ts';

function event(id: string): CloudEvent {
  return {
    specversion: '1.0',
    id,
    source: '/attestry',
    type: 'dev.attestry.evidence.attached.v1',
    subject: IMAGE,
    time: at(0).toISOString(),
    datacontenttype: 'application/json',
    data: {},
  };
}

/** What every ledger does. `open` gives an empty one. */
export function testLedger(name: string, open: () => Promise<Ledger & Outbox>): void {
  describe(`${name} keeps the contract of a ledger`, () => {
    let ledger: Ledger & Outbox;
    beforeEach(async () => {
      ledger = await open();
    });

    async function relayed(limit = 100): Promise<OutboxEntry[]> {
      const entries: OutboxEntry[] = [];
      await ledger.relay(async (entry) => void entries.push(entry), limit);
      return entries;
    }

    test('the first verdict is a transition, recorded and told once', async () => {
      const made = await ledger.record(observation('pass', 0, { tag: 'v1' }));
      assert.equal(made?.change, 'first');
      assert.equal(made?.sequence, 1);
      assert.equal(made?.previous, undefined);
      const [state] = await ledger.latest(IMAGE);
      assert.equal(state?.verdict?.outcome, 'pass');
      assert.equal(state?.since, at(0).toISOString());
      assert.deepEqual(await relayed(), [{ kind: 'transition', transition: made }]);
      assert.deepEqual(await relayed(), []);
    });

    test('an unchanged verdict is silent and keeps since', async () => {
      await ledger.record(observation('pass', 0));
      assert.equal(await ledger.record(observation('pass', 5)), undefined);
      const [state] = await ledger.latest(IMAGE);
      assert.equal(state?.since, at(0).toISOString());
      assert.equal(state?.lastCheckedAt, at(5).toISOString());
      assert.equal((await relayed()).length, 1);
      assert.equal((await ledger.history(IMAGE, 10)).length, 1);
    });

    test('other reason codes are a change, other messages and another order are not', async () => {
      const codes: Reason['code'][] = ['evidence-missing', 'condition-failed'];
      await ledger.record(observation('fail', 0, { verdict: verdict('fail', 'file:policy', codes) }));
      const reversed = verdict('fail', 'file:policy', codes.toReversed());
      const reworded = {
        ...reversed,
        reasons: reversed.reasons.map((reason) => ({ ...reason, message: 'new words' })),
      };
      assert.equal(await ledger.record(observation('fail', 1, { verdict: reworded })), undefined);
      assert.equal((await ledger.latest(IMAGE))[0]?.verdict?.reasons[0]?.message, 'new words');
      const fewer = verdict('fail', 'file:policy', ['evidence-missing']);
      const made = await ledger.record(observation('fail', 2, { verdict: fewer }));
      assert.equal(made?.change, 'changed');
      assert.equal(made?.previous?.reasons.length, 2);
    });

    test('error never replaces what is known: it opens a condition beside it', async () => {
      await ledger.record(observation('pass', 0));
      const opened = await ledger.record(observation('error', 1));
      assert.equal(opened?.change, 'could-not-check');
      assert.equal(await ledger.record(observation('error', 2)), undefined);
      const [state] = await ledger.latest(IMAGE);
      assert.equal(state?.verdict?.outcome, 'pass');
      assert.equal(state?.since, at(0).toISOString());
      assert.equal(state?.couldNotCheck?.since, at(1).toISOString());
      const closed = await ledger.record(observation('pass', 3));
      assert.equal(closed?.change, 'checked-again');
      assert.equal(closed?.previous?.outcome, 'error');
      const [again] = await ledger.latest(IMAGE);
      assert.equal(again?.couldNotCheck, undefined);
      assert.equal(again?.since, at(0).toISOString());
      assert.equal(again?.sequence, 3);
    });

    test('an error first, then a verdict: first, with the condition closed', async () => {
      assert.equal((await ledger.record(observation('error', 0)))?.change, 'could-not-check');
      assert.equal((await ledger.latest(IMAGE))[0]?.verdict, undefined);
      assert.deepEqual((await ledger.coverage()).byOutcome, { error: 1 });
      assert.equal((await ledger.record(observation('fail', 1)))?.change, 'first');
      assert.equal((await ledger.latest(IMAGE))[0]?.couldNotCheck, undefined);
    });

    test('a change while it could not be checked is told as the change that it is', async () => {
      await ledger.record(observation('pass', 0));
      await ledger.record(observation('error', 1));
      const made = await ledger.record(observation('fail', 2));
      assert.equal(made?.change, 'changed');
      assert.equal(made?.previous?.outcome, 'pass');
    });

    test('a late report of an older check changes nothing', async () => {
      await ledger.record(observation('pass', 10));
      assert.equal(await ledger.record(observation('fail', 5)), undefined);
      assert.equal((await ledger.latest(IMAGE))[0]?.verdict?.outcome, 'pass');
    });

    test('history is newest first and honours its limit', async () => {
      for (const [minute, outcome] of (['pass', 'fail', 'pass', 'warn'] as const).entries()) {
        await ledger.record(observation(outcome, minute));
      }
      const history = await ledger.history(IMAGE, 3);
      assert.deepEqual(
        history.map((transition) => [transition.sequence, transition.verdict.outcome]),
        [
          [4, 'warn'],
          [3, 'pass'],
          [2, 'fail'],
        ],
      );
      assert.deepEqual(await ledger.history(IMAGE, 0), []);
    });

    test('policies of one image have states, sequences and due times of their own', async () => {
      await ledger.record(observation('pass', 0));
      await ledger.record(observation('fail', 0, { verdict: verdict('fail', 'file:second') }));
      const states = await ledger.latest(IMAGE);
      assert.deepEqual(
        states.map((state) => [state.policyUri, state.sequence, state.verdict?.outcome]),
        [
          ['file:policy', 1, 'pass'],
          ['file:second', 1, 'fail'],
        ],
      );
      const ids = (await ledger.history(IMAGE, 10)).map(transitionId);
      assert.equal(new Set(ids).size, 2);
    });

    test('an event is appended once per id, and relayed after what came before it', async () => {
      await ledger.record(observation('pass', 0));
      await ledger.append(IMAGE, event('one'));
      await ledger.append(IMAGE, event('one'));
      await ledger.append(IMAGE, event('two'));
      const entries = await relayed();
      assert.deepEqual(
        entries.map((entry) => (entry.kind === 'event' ? entry.event.id : entry.transition.change)),
        ['first', 'one', 'two'],
      );
    });

    test('what was not delivered stays, and comes again under the same id', async () => {
      const made = await ledger.record(observation('pass', 0));
      assert.ok(made);
      await assert.rejects(
        ledger.relay(() => Promise.reject(new Error('no way')), 10),
        /no way/,
      );
      const [entry] = await relayed();
      assert.ok(entry?.kind === 'transition');
      assert.equal(transitionId(entry.transition), transitionId(made));
    });

    test('relay honours its limit and answers how many', async () => {
      await ledger.record(observation('pass', 0));
      await ledger.record(observation('fail', 1));
      await ledger.record(observation('pass', 0, { image: OTHER }));
      const nothing = async () => undefined;
      assert.equal(await ledger.relay(nothing, 2), 2);
      assert.equal(await ledger.relay(nothing, 2), 1);
      assert.equal(await ledger.relay(nothing, 2), 0);
    });
  });
}
