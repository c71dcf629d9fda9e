import { inspect } from 'node:util';

/** What node:test itself counts at the end of a file. */
const COUNT = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/**
 * A reporter of node:test that writes one JSON line for each test (not for suites) with its full name, so that the
 * process that runs the files can count and print them; what a test says of itself (`context.diagnostic`) is passed on.
 */
export default async function* eventReporter(source) {
  const path = [];
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      path.length = data.nesting;
      path[data.nesting] = data.name;
    }
    if (type === 'test:diagnostic' && !COUNT.test(data.message)) {
      yield `${JSON.stringify({ result: 'note', name: data.message })}\n`;
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details.type === 'suite' && type === 'test:pass') continue;
    yield `${JSON.stringify({ ...outcome(type, data), name: [...path.slice(0, data.nesting), data.name].join(' > ') })}\n`;
  }
}

function outcome(type, data) {
  if (data.skip !== undefined) return { result: 'skipped' };
  if (data.todo !== undefined) return { result: 'todo' };
  if (type === 'test:pass') return { result: 'passed' };
  const { error } = data.details;
  // The test that holds the failed one fails only because of it.
  if (error?.failureType === 'subtestsFailed') return { result: 'holds-failed' };
  return { result: 'failed', error: inspect(error?.cause ?? error, { depth: 6 }) };
}
