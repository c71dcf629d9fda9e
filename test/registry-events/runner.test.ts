import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const fixtures = join(import.meta.dirname, '../fixtures/registry-events');
const folder = await mkdtemp(join(tmpdir(), 'attestry-samples-'));
after(() => rm(folder, { recursive: true }));

/** Runs the samples of the folder in a process of their own; true when they pass. */
function passes(): boolean {
  const { NODE_TEST_CONTEXT: _nested, ...env } = process.env;
  const run = join(import.meta.dirname, 'run.test.ts');
  return spawnSync(process.execPath, [run], { env: { ...env, ATTESTRY_TEST_REGISTRY_EVENTS: folder } }).status === 0;
}

async function sample(change: (expected: Record<string, unknown>) => object): Promise<void> {
  for (const suffix of ['.json', '.headers.json']) {
    await cp(join(fixtures, `distribution-push${suffix}`), join(folder, `one${suffix}`));
  }
  const expected = JSON.parse(await readFile(join(fixtures, 'distribution-push.expected.json'), 'utf8'));
  await writeFile(join(folder, 'one.expected.json'), JSON.stringify(change(expected)));
}

test('the runner fails for an empty folder, an unknown member and a mismatch, and only then', async () => {
  assert.equal(passes(), false, 'an empty folder');
  await sample((expected) => expected);
  assert.equal(passes(), true, 'a good sample');
  await sample((expected) => ({ ...expected, assume: { registryHost: 'registry.example.com', unknown: 1 } }));
  assert.equal(passes(), false, 'an unknown assumption');
  await sample((expected) => ({ ...expected, unknown: [] }));
  assert.equal(passes(), false, 'an unknown expectation');
  await sample((expected) => ({ ...expected, skipped: [{ from: 'events[0]', reason: 'delete' }] }));
  assert.equal(passes(), false, 'a mismatch');
});

test('an own push is skipped with the digest in the record', async () => {
  await sample((expected) => {
    const digest = (expected.enqueue as { digest: string }[])[0]?.digest;
    return {
      ...expected,
      assume: { registryHost: 'registry.example.com', ownDigests: [digest] },
      enqueue: [],
      skipped: [{ from: 'events[0]', reason: 'own-push' }],
    };
  });
  assert.equal(passes(), true);
});
