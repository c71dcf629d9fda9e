// npm test: set-up, type check, lint, and the suites on real servers; ends with `N passed, N failed`.

import { SetupError } from './setup/setup-error.mjs';
import { ROOT, setUp } from './setup.mjs';
import { runChecks } from './testing/checks.mjs';
import { runSuites } from './testing/run-suites.mjs';
import { TEST_SUITES } from './testing/suites.mjs';
import { exitOnSignals, print, printSummary } from './testing/summary.mjs';

exitOnSignals();
process.exitCode = printSummary(await testAll(), print);

async function testAll() {
  try {
    const { node } = await setUp({ forTest: true });
    const failures = await runChecks({ root: ROOT, node, print });
    const suites = await runSuites({ root: ROOT, node, names: TEST_SUITES, print });
    return { passed: suites.passed, failures: [...failures, ...suites.failures] };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { passed: 0, failures: [{ where: 'set-up', error: error.message }] };
  }
}
