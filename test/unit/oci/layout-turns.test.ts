import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLayoutTurns } from '#oci/layout-turns.ts';

const WRITER = fileURLToPath(new URL('../../support/layout-writer.ts', import.meta.url));

async function folder(t: { after(work: () => Promise<void>): void }): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'attestry-turns-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test('processes that write to one layout lose nothing of each other', async (t) => {
  const dir = await folder(t);
  const writers = ['a', 'b', 'c'].map((name) =>
    spawn(process.execPath, [WRITER, dir, name, '4'], { stdio: 'inherit' }),
  );
  const codes = await Promise.all(writers.map(async (writer) => (await once(writer, 'exit'))[0]));
  assert.deepEqual(codes, [0, 0, 0]);
  const { manifests } = JSON.parse(await readFile(join(dir, 'team/app/index.json'), 'utf8'));
  assert.equal(manifests.length, 12);
});

test('a turn that fails gives way to the next, and leaves no lock behind', async (t) => {
  const dir = await folder(t);
  const inTurn = createLayoutTurns();
  const order: string[] = [];
  const failing = inTurn(dir, async () => {
    order.push('first');
    throw new Error('it fails');
  });
  const next = inTurn(dir, async () => void order.push('second'));
  await assert.rejects(failing, /it fails/);
  await next;
  assert.deepEqual(order, ['first', 'second']);
  assert.deepEqual(await readdir(dir), []);
});

test('the lock of a process that was killed is taken over', async (t) => {
  const dir = await folder(t);
  await writeFile(join(dir, '.attestry-writing'), '');
  let done = false;
  await createLayoutTurns({ abandonedMs: 60 })(dir, async () => {
    done = true;
  });
  assert.ok(done);
  assert.deepEqual(await readdir(dir), []);
});

test('a folder that cannot be written to is an error, not a wait', async (t) => {
  const dir = await folder(t);
  await mkdir(join(dir, 'layout'));
  await writeFile(join(dir, 'layout', 'file'), '');
  await assert.rejects(createLayoutTurns()(join(dir, 'layout', 'file', 'below'), async () => {}));
});
