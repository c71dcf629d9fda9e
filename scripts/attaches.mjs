// node scripts/attaches.mjs: the attaches of the suite faults at their full size, and their counts.

import { SetupError, say } from './setup/setup-error.mjs';
import { ROOT, setUp } from './setup.mjs';
import { runSuites } from './testing/run-suites.mjs';
import { exitOnSignals, print, printSummary } from './testing/summary.mjs';

const LIMIT_MS = 2 * 3_600_000;

exitOnSignals();
try {
  const { node } = await setUp({ forTest: true });
  process.env.ATTESTRY_TEST_ATTACHES ??= 'full';
  const only = 'test/faults/attaches/';
  process.exitCode = printSummary(
    await runSuites({ root: ROOT, node, names: ['faults'], print, only, limitMs: LIMIT_MS }),
    print,
  );
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 2;
}
