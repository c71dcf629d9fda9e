import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import type { Ledger } from '#model/ledger.ts';
import { at, IMAGE, OTHER, observation, verdict } from '../support/observations.ts';

/** What every ledger finds by time, by alert and by name. `open` gives an empty one. */
export function testLedgerIndexes(name: string, open: () => Promise<Ledger>): void {
  describe(`${name} keeps the contract of a ledger's indexes`, () => {
    let ledger: Ledger;
    beforeEach(async () => {
      ledger = await open();
    });

    test('due lists what is due, oldest first, until it is recorded or deferred', async () => {
      await ledger.record(observation('pass', 0, { tag: 'v1', nextDue: at(20) }));
      await ledger.record(observation('pass', 0, { image: OTHER, nextDue: at(10) }));
      assert.deepEqual(await ledger.due(at(9), 10), []);
      const due = await ledger.due(at(30), 10);
      assert.deepEqual(due, [
        { image: OTHER, policyUri: 'file:policy', due: at(10) },
        { image: IMAGE, policyUri: 'file:policy', due: at(20), tag: 'v1' },
      ]);
      assert.equal((await ledger.due(at(30), 1)).length, 1);
      const [first] = due;
      assert.ok(first);
      await ledger.defer(first, at(40));
      assert.deepEqual(
        (await ledger.due(at(30), 10)).map((item) => item.image),
        [IMAGE],
      );
      await ledger.record(observation('pass', 30, { nextDue: at(90) }));
      assert.deepEqual(await ledger.due(at(30), 10), []);
    });

    test('a late deferral does not undo the due time of a check that ended meanwhile', async () => {
      await ledger.record(observation('pass', 0, { nextDue: at(10) }));
      const [item] = await ledger.due(at(11), 1);
      assert.ok(item);
      await ledger.record(observation('pass', 11, { nextDue: at(100) }));
      await ledger.defer(item, at(20));
      assert.deepEqual(await ledger.due(at(99), 10), []);
    });

    test('the tag stays when a later observation has none', async () => {
      await ledger.record(observation('pass', 0, { tag: 'v1', nextDue: at(1) }));
      await ledger.record(observation('pass', 1, { nextDue: at(2) }));
      assert.equal((await ledger.due(at(3), 1))[0]?.tag, 'v1');
    });

    test('makeDue: everything, one policy, one image', async () => {
      await ledger.record(observation('pass', 0));
      await ledger.record(observation('pass', 0, { verdict: verdict('pass', 'file:second') }));
      await ledger.record(observation('pass', 0, { image: OTHER }));
      assert.equal(await ledger.makeDue({ policyUri: 'file:second' }, at(1)), 1);
      assert.deepEqual(
        (await ledger.due(at(1), 10)).map((item) => item.policyUri),
        ['file:second'],
      );
      assert.equal(await ledger.makeDue({ image: OTHER }, at(2)), 1);
      assert.equal(await ledger.makeDue({}, at(3)), 3);
      assert.equal((await ledger.due(at(3), 10)).length, 3);
      assert.deepEqual(
        (await ledger.due(at(1), 10)).map((item) => item.policyUri),
        ['file:second'],
      );
      assert.equal(await ledger.makeDue({ image: 'registry.example/unknown@sha256:0' }, at(3)), 0);
    });

    test('an alert opens when a state becomes fail and closes when it is good', async () => {
      await ledger.record(observation('pass', 0));
      assert.deepEqual(await ledger.openAlerts(10), []);
      await ledger.record(observation('fail', 1));
      await ledger.record(observation('error', 2));
      await ledger.record(observation('fail', 3, { verdict: verdict('fail', 'file:policy', ['evidence-missing']) }));
      const [alert, ...others] = await ledger.openAlerts(10);
      assert.deepEqual(others, []);
      assert.equal(alert?.since, at(1).toISOString());
      assert.equal(alert?.verdict.reasons[0]?.code, 'evidence-missing');
      await ledger.record(observation('warn', 4));
      assert.deepEqual(await ledger.openAlerts(10), []);
    });

    test('a first verdict alarms only when it is fail; openAlerts honours its limit', async () => {
      await ledger.record(observation('fail', 0));
      await ledger.record(observation('fail', 0, { image: OTHER }));
      assert.equal((await ledger.openAlerts(10)).length, 2);
      assert.equal((await ledger.openAlerts(1)).length, 1);
    });

    test('coverage counts images by their worst known state, however often they are recorded', async () => {
      await ledger.record(observation('pass', 0));
      await ledger.record(observation('fail', 0, { verdict: verdict('fail', 'file:second') }));
      await ledger.record(observation('pass', 0, { image: OTHER }));
      assert.deepEqual(await ledger.coverage(), { images: 2, byOutcome: { fail: 1, pass: 1 } });
      for (let again = 1; again <= 3; again++) {
        await ledger.record(observation('fail', again, { verdict: verdict('fail', 'file:second') }));
        await ledger.record(observation('error', again));
      }
      assert.deepEqual(await ledger.coverage(), { images: 2, byOutcome: { fail: 1, pass: 1 } });
      await ledger.record(observation('pass', 9, { verdict: verdict('pass', 'file:second') }));
      assert.deepEqual(await ledger.coverage(), { images: 2, byOutcome: { pass: 2 } });
    });

    test('images in pages by name', async () => {
      const names = ['a', 'b', 'c'].map((name) => `registry.example/${name}@${sha256(name)}`);
      for (const image of names.toReversed()) await ledger.record(observation('pass', 0, { image }));
      const first = await ledger.images(undefined, 2);
      assert.deepEqual(first.images, names.slice(0, 2));
      assert.ok(first.cursor);
      const second = await ledger.images(first.cursor, 2);
      assert.deepEqual(second, { images: names.slice(2) });
    });

    test('a forgotten image is gone, its history is not, and its sequence goes on', async () => {
      await ledger.record(observation('fail', 0));
      await ledger.forget(IMAGE, at(1));
      assert.deepEqual(await ledger.latest(IMAGE), []);
      assert.deepEqual(await ledger.due(at(1000), 10), []);
      assert.deepEqual(await ledger.openAlerts(10), []);
      assert.deepEqual((await ledger.images(undefined, 10)).images, []);
      assert.deepEqual(await ledger.coverage(), { images: 0, byOutcome: {} });
      assert.equal((await ledger.history(IMAGE, 10)).length, 1);
      const back = await ledger.record(observation('pass', 2));
      assert.equal(back?.change, 'first');
      assert.equal(back?.sequence, 2);
      assert.deepEqual(await ledger.coverage(), { images: 1, byOutcome: { pass: 1 } });
    });

    test('forget of one policy leaves the others; of what was seen since, all', async () => {
      await ledger.record(observation('pass', 0));
      await ledger.record(observation('fail', 0, { verdict: verdict('fail', 'file:second') }));
      await ledger.forget(IMAGE, at(1), 'file:second');
      assert.deepEqual(
        (await ledger.latest(IMAGE)).map((state) => state.policyUri),
        ['file:policy'],
      );
      assert.deepEqual(await ledger.coverage(), { images: 1, byOutcome: { pass: 1 } });
      await ledger.record(observation('pass', 5));
      await ledger.forget(IMAGE, at(4));
      assert.equal((await ledger.latest(IMAGE)).length, 1);
      await ledger.forget(OTHER, at(4));
    });
  });
}
