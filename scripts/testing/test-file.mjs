import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { insideNetwork } from './own-network.mjs';

const REPORTER = fileURLToPath(new URL('./event-reporter.mjs', import.meta.url));
const OUTPUT_KEPT = 32_768;
/** How long the processes of a test file may take to stop after it. */
const STOPPING_MS = 3_000;

/**
 * Runs one test file in a process group of its own. Besides failed tests these are failures: no tests at all, a skipped
 * or todo test, an exit code without a failed test, no end within the limit, and processes left behind. `network` is
 * what findNetwork of own-network.mjs answered; absent: the machine's.
 * @returns `{ file, passed, failures: [{ name, error }], notes, seconds }`
 */
export async function runTestFile({ root, node, file, limitMs, env, network = undefined }) {
  const folder = mkdtempSync(join(tmpdir(), 'attestry-test-'));
  const report = join(folder, 'report.jsonl');
  const began = performance.now();
  try {
    const end = await runProcess({ root, node, file, limitMs, env, network, report });
    return { file, ...judge(readReport(report), end), seconds: (performance.now() - began) / 1000 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runProcess({ root, node, file, limitMs, env, network, report }) {
  return new Promise((resolve, reject) => {
    const flags = [`--test-reporter=${REPORTER}`, `--test-reporter-destination=${report}`];
    const [program, ...args] = insideNetwork(network, [node, ...flags, file]);
    const child = spawn(program, args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const end = { code: null, signal: null, late: false, leftBehind: false, output: '' };
    const keep = (chunk) => {
      end.output = `${end.output}${chunk}`.slice(-OUTPUT_KEPT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const limit = setTimeout(() => {
      end.late = true;
      killGroup(child.pid);
    }, limitMs);
    const endGroup = () => killGroup(child.pid);
    process.on('exit', endGroup);
    child.once('error', reject);
    child.once('exit', async () => {
      // Servers that were told to stop may still be stopping. Those that stay hold the pipes, and "close" never comes.
      const gone = await groupEnded(child.pid);
      end.leftBehind = !gone && killGroup(child.pid) && !end.late;
    });
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      process.off('exit', endGroup);
      resolve({ ...end, code, signal });
    });
  });
}

function judge(tests, end) {
  const notes = tests.filter(({ result }) => result === 'note').map(({ name }) => name);
  const failures = tests
    .filter(({ result }) => result === 'failed' || result === 'skipped' || result === 'todo')
    .map(({ result, name, error }) => ({ name, error: error ?? `${result} tests are not allowed` }));
  if (end.late) failures.push({ name: '(file)', error: `did not end in time; something was left open\n${end.output}` });
  else if (tests.length === notes.length) failures.push({ name: '(file)', error: `ran no test\n${end.output}` });
  else if (end.code !== 0 && failures.length === 0) {
    failures.push({ name: '(file)', error: `ended with ${end.signal ?? `exit code ${end.code}`}\n${end.output}` });
  }
  if (end.leftBehind) failures.push({ name: '(file)', error: 'left a process behind' });
  return { passed: tests.filter(({ result }) => result === 'passed').length, failures, notes };
}

function readReport(path) {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean).map(JSON.parse);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

async function groupEnded(group) {
  const deadline = performance.now() + STOPPING_MS;
  while (performance.now() < deadline) {
    try {
      process.kill(-group, 0);
    } catch {
      return true;
    }
    await sleep(50);
  }
  return false;
}

/** True when there was somebody left to kill. */
function killGroup(group) {
  try {
    process.kill(-group, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
