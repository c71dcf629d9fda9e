// node scripts/suite.mjs NAME...: sets up what tests need, then runs those suites.

import { SetupError, say } from './setup/setup-error.mjs';
import { ROOT, setUp } from './setup.mjs';
import { runSuites } from './testing/run-suites.mjs';
import { SUITES } from './testing/suites.mjs';
import { exitOnSignals, print, printSummary } from './testing/summary.mjs';

exitOnSignals();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 2;
}

async function main(names) {
  const unknown = names.filter((name) => !(name in SUITES));
  if (names.length === 0 || unknown.length > 0) {
    throw new SetupError(`name suites to run: ${Object.keys(SUITES).join(', ')}`);
  }
  const { node } = await setUp({ forTest: true });
  return printSummary(await runSuites({ root: ROOT, node, names, print }), print);
}
