// What .ci/run runs: npm test, then the longer suites; ends with `N passed, N failed` of all of it.
import { spawn } from 'node:child_process';
import { SetupError } from './setup/setup-error.mjs';
import { ROOT, setUp } from './setup.mjs';
import { runSuites } from './testing/run-suites.mjs';
import { LONG_SUITES } from './testing/suites.mjs';
import { exitOnSignals, print, printSummary } from './testing/summary.mjs';

exitOnSignals();
const first = await npmTest();
const longer = await longSuites();
process.exitCode = printSummary(
  { passed: first.passed + longer.passed, failures: [...first.failures, ...longer.failures] },
  print,
);

/** Runs `npm test` as anybody would, passing its output on, and counts by its last line. */
function npmTest() {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['test'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    let tail = '';
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      tail = `${tail}${chunk}`.slice(-4096);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      const [passed, failed] = (/^(\d+) passed, (\d+) failed\s*$/m.exec(tail.trimEnd().split('\n').at(-1) ?? '') ?? [])
        .slice(1)
        .map(Number);
      const failures = Array.from({ length: failed ?? 0 }, (_, at) => ({
        where: `npm test, failure ${at + 1}`,
        error: 'see above',
      }));
      if (failures.length === 0 && (code !== 0 || passed === undefined)) {
        failures.push({ where: 'npm test', error: `ended with exit code ${code} and without a count` });
      }
      resolve({ passed: passed ?? 0, failures });
    });
  });
}

async function longSuites() {
  try {
    const { node } = await setUp({ forTest: true });
    return await runSuites({ root: ROOT, node, names: LONG_SUITES, print });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { passed: 0, failures: [{ where: `suites ${LONG_SUITES.join(', ')}`, error: error.message }] };
  }
}
