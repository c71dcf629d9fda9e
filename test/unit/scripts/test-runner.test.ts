import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { runTestFile } from '../../../scripts/testing/test-file.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'attestry-runner-'));
  mkdirSync(join(root, 'test'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Result {
  readonly passed: number;
  readonly notes: readonly string[];
  readonly failures: readonly { readonly name: string; readonly error: string }[];
}

/** Runs one test file with this text; `limitMs` only ends what hangs. */
function run(text: string, limitMs = 60_000): Promise<Result> {
  writeFileSync(join(root, 'test', 'a.test.mjs'), `import { describe, test } from 'node:test';\n${text}`);
  const env = { ...process.env };
  // This very test runs under a runner, whose marks must not reach the next one.
  delete env.NODE_TEST_CONTEXT;
  return runTestFile({ root, node: process.execPath, file: 'test/a.test.mjs', limitMs, env });
}

test('passed tests count, suites and their holders do not', async () => {
  const { passed, failures } = await run("describe('s', () => { test('a', () => {}); test('b', () => {}); });");
  assert.deepEqual({ passed, failures }, { passed: 2, failures: [] });
});

test('a failed test is told once, by its whole name', async () => {
  const { passed, failures } = await run(
    "describe('s', () => { test('good', () => {}); test('bad', () => { throw new Error('because'); }); });",
  );
  assert.equal(passed, 1);
  assert.deepEqual(
    failures.map(({ name }) => name),
    ['s > bad'],
  );
  assert.match(failures[0]?.error ?? '', /because/);
});

for (const kind of ['skip', 'todo']) {
  test(`${kind} is a failure`, async () => {
    const { passed, failures } = await run(`test('a', () => {}); test.${kind}('later', () => {});`);
    assert.equal(passed, 1);
    assert.equal(failures[0]?.name, 'later');
  });
}

test('a file without tests is a failure', async () => {
  const { failures } = await run('');
  assert.match(failures[0]?.error ?? '', /^ran no test/);
});

test('a file that cannot be loaded is a failure that shows why', async () => {
  const { failures } = await run("throw new Error('not even loaded');");
  assert.match(failures[0]?.error ?? '', /not even loaded/);
});

test('an exit code speaks even when every test passed', async () => {
  const { passed, failures } = await run("test('a', () => {}); process.on('exit', () => { process.exitCode = 3; });");
  assert.equal(passed, 1);
  assert.match(failures[0]?.error ?? '', /exit code 3/);
});

test('a file that does not end is ended, and fails', async () => {
  const { failures } = await run("test('a', () => { setInterval(() => {}, 1000); });", 1_500);
  assert.match(failures[0]?.error ?? '', /something was left open/);
});

test('a process that outlives its file is a failure, and is killed', async () => {
  const { passed, failures } = await run(
    "import { spawn } from 'node:child_process'; test('a', () => { spawn('sleep', ['60'], { stdio: 'inherit' }).unref(); });",
  );
  assert.equal(passed, 1);
  assert.equal(failures[0]?.error, 'left a process behind');
});

test('what a test says of itself is passed on, what node:test counts is not', async () => {
  const { passed, notes } = await run("test('a', (context) => { context.diagnostic('ready after 3 ms'); });");
  assert.deepEqual({ passed, notes }, { passed: 1, notes: ['ready after 3 ms'] });
});
