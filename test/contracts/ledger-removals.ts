import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import type { Ledger } from '#model/ledger.ts';
import type { Removal } from '#model/removal.ts';
import { at, IMAGE, OTHER, observation } from '../support/observations.ts';

const moved: Removal = {
  kind: 'untagged',
  tag: 'v1',
  movedTo: sha256('newer'),
  at: at(1).toISOString(),
  learnedBy: 'push',
  source: 'ci',
};
const deleted: Removal = {
  kind: 'deleted',
  at: at(2).toISOString(),
  learnedBy: 'event',
  source: 'hub',
  actor: 'cleaner',
};

/** What every ledger remembers of images that are there no more. */
export function testLedgerRemovals(name: string, open: () => Promise<Ledger>): void {
  describe(`${name} remembers what was removed`, () => {
    let ledger: Ledger;
    beforeEach(async () => {
      ledger = await open();
    });

    test('each thing once, as it was first learned, newest first', async () => {
      assert.equal(await ledger.noteRemoval(IMAGE, moved), true);
      assert.equal(await ledger.noteRemoval(IMAGE, deleted), true);
      assert.equal(await ledger.noteRemoval(IMAGE, { ...deleted, at: at(9).toISOString() }), false);
      assert.equal(await ledger.noteRemoval(IMAGE, { ...moved, learnedBy: 'sweep' }), false);
      assert.deepEqual(await ledger.removals(IMAGE), [deleted, moved]);
      assert.deepEqual(await ledger.removals(OTHER), []);
    });

    test('it outlives the states of the image', async () => {
      await ledger.record(observation('pass', 0));
      await ledger.noteRemoval(IMAGE, deleted);
      await ledger.forget(IMAGE, at(3));
      assert.deepEqual(await ledger.latest(IMAGE), []);
      assert.deepEqual(await ledger.removals(IMAGE), [deleted]);
    });

    test('an image that comes back is not deleted any more, and has lost the tags that it has not got back', async () => {
      const other: Removal = { ...moved, tag: 'v2' };
      for (const removal of [moved, other, deleted]) await ledger.noteRemoval(IMAGE, removal);
      await ledger.noteReturn(IMAGE, 'v1');
      assert.deepEqual(await ledger.removals(IMAGE), [other]);
      await ledger.noteReturn(IMAGE);
      assert.deepEqual(await ledger.removals(IMAGE), [other]);
      assert.equal(await ledger.noteRemoval(IMAGE, deleted), true);
    });
  });
}
