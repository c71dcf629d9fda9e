import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { withLock } from '../../../scripts/setup/lock.mjs';

let folder: string;
let path: string;
const say = () => undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attestry-lock-'));
  path = join(folder, 'state', 'setup.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('one works at a time, and the lock is gone afterwards', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside++;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
  };
  await Promise.all([withLock(path, say, work), withLock(path, say, work), withLock(path, say, work)]);
  assert.equal(most, 1);
  assert.equal(existsSync(path), false);
});

test('a failure gives the lock back and is passed on', async () => {
  await assert.rejects(
    withLock(path, say, () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal(existsSync(path), false);
  assert.equal(await withLock(path, say, async () => 'next'), 'next');
});

test('the lock of a process that is gone is taken over', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  await withLock(path, say, async () => undefined);
  writeFileSync(path, JSON.stringify({ token: 'old', pids: [dead], host: hostname() }));
  assert.equal(await withLock(path, say, async () => 'taken'), 'taken');
});

test('a child that is named in the lock holds it too', async () => {
  await withLock(path, say, async (addProcess: (pid: number) => void) => {
    addProcess(4_000_000);
    const { pids } = JSON.parse(readFileSync(path, 'utf8')) as { pids: number[] };
    assert.deepEqual(pids, [process.pid, 4_000_000]);
  });
  assert.equal(existsSync(path), false);
});
