/** Prints every failure again, then the one line that others read: `N passed, N failed`. Answers the exit code. */
export function printSummary({ passed, failures }, print) {
  if (failures.length > 0) print('\nFailed:');
  for (const { where, error } of failures) {
    print(`\n  ${where}`);
    print(error.replace(/^/gm, '      '));
  }
  print(`\n${passed} passed, ${failures.length} failed`);
  return failures.length === 0 ? 0 : 1;
}

/** One line on standard output. */
export function print(line) {
  process.stdout.write(`${line}\n`);
}

/** Ctrl-C ends the run and, by the exit handlers, the tests that are running. */
export function exitOnSignals() {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ]) {
    process.once(signal, () => process.exit(code));
  }
}
