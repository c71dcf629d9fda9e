import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { transitionId } from '#ledger/transition-id.ts';
import { sha256 } from '#model/digest.ts';
import type { CloudEvent } from '#model/event.ts';
import type { Ledger, Observation, Outbox, OutboxEntry } from '#model/ledger.ts';
import type { Outcome, Reason, Verdict } from '#model/verdict.ts';

const START = Date.parse('2026-03-01T10:00:00Z');
const HOUR = 3_600_000;

export const IMAGE = `registry.example/team/app@${sha256('app')}`;
export const OTHER = `registry.example/team/other@${sha256('other')}`;

export function at(minutes: number): Date {
  return new Date(START + minutes * 60_000);
}

export function verdict(outcome: Outcome, policyUri = 'file:policy', codes: Reason['code'][] = []): Verdict {
  const reasons = codes.map((code) => ({ code, message: `because of ${code}` }));
  return {
    image: IMAGE,
    policy: { name: policyUri, kind: 'ClusterPolicy', uri: policyUri, digest: sha256(policyUri) },
    emulates: 'kyverno 1.19.1',
    mode: 'compat',
    outcome,
    reasons,
  };
}

export function observation(outcome: Outcome, minutes: number, more: Partial<Observation> = {}): Observation {
  return {
    image: IMAGE,
    verdict: verdict(outcome),
    at: at(minutes),
    nextDue: new Date(at(minutes).getTime() + HOUR),
    ...more,
  };
}

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
