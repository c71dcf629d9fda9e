import { availableParallelism } from 'node:os';
import { unpackedPath } from '../setup/apt-unpack.mjs';
import { ensureTools } from '../setup/ensure-tools.mjs';
import { GO_TOOLS, toolOf } from '../setup/go-tools.mjs';
import { ensureServers } from '../setup/servers.mjs';
import { SetupError, say } from '../setup/setup-error.mjs';
import { findNetwork } from './own-network.mjs';
import { SUITES, suiteFiles } from './suites.mjs';
import { runTestFile } from './test-file.mjs';

/** Files at once: the tests start servers of their own, and more than a few at a time only slow each other down. */
const AT_ONCE = Math.max(2, Math.min(4, availableParallelism()));

/**
 * Runs suites one after another, printing each file as it ends; `only` those files of them whose path begins so, and within
 * `limitMs` each in place of the suite's own limit.
 * @returns `{ passed, failures: [{ where, error }] }` of all of them; a suite without files is a failure
 */
export async function runSuites({ root, node, names, print, only = '', limitMs = undefined }) {
  const total = { passed: 0, failures: [] };
  for (const name of names) {
    try {
      const files = suiteFiles(root, name).filter((file) => file.startsWith(only));
      if (files.length === 0) throw new SetupError(`no test files in ${SUITES[name].folder}`);
      await prepare(root, SUITES[name]);
      const env = testEnvironment(root);
      const network = SUITES[name].ownNetwork ? findNetwork(print) : undefined;
      const result = await runSuite({ root, node, name, files, print, env, network, limitMs });
      total.passed += result.passed;
      total.failures.push(...result.failures);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      print(`FAIL suite ${name}: ${error.message}`);
      total.failures.push({ where: `suite ${name}`, error: error.message });
    }
  }
  return total;
}

/** A suite whose tools or servers are missing fails: a skipped judgement is none. */
async function prepare(root, { tools, servers }) {
  if (tools !== undefined) await ensureTools({ root, say, tools: tools === 'all' ? GO_TOOLS : tools.map(toolOf) });
  if (servers !== undefined) await ensureServers({ root, say, ids: servers });
}

async function runSuite({ root, node, name, files, print, env, network, limitMs = SUITES[name].fileLimitMs }) {
  const began = performance.now();
  const total = { passed: 0, failures: [] };
  print(`\n${name}`);
  const waiting = [...files];
  const take = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runTestFile({ root, node, file, limitMs, env, network });
      total.passed += result.passed;
      total.failures.push(...result.failures.map(({ name: test, error }) => ({ where: `${file}: ${test}`, error })));
      printFile(result, print);
    }
  };
  const atOnce = network === 'shared' ? 1 : AT_ONCE;
  await Promise.all(Array.from({ length: atOnce }, take));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  print(`  ${name}: ${total.passed} passed, ${total.failures.length} failed in ${files.length} files, ${seconds} s`);
  return total;
}

function printFile({ file, passed, failures, notes, seconds }, print) {
  const mark = failures.length === 0 ? 'ok  ' : 'FAIL';
  const bad = failures.length === 0 ? '' : `, ${failures.length} failed`;
  print(`  ${mark} ${file}  ${passed} passed${bad}  ${seconds.toFixed(1)} s`);
  for (const note of notes) print(note.replace(/^/gm, '       '));
}

function testEnvironment(root) {
  const env = { ...process.env, PATH: `${process.env.PATH}:${unpackedPath(root)}` };
  // Neither npm's view of this run nor a developer's settings may change what the tests see.
  for (const name of Object.keys(env)) {
    if (/^npm_(?:config_(?!registry|cache|userconfig)|package_|lifecycle_|command|execpath)/i.test(name))
      delete env[name];
    if (/^(?:ATTESTRY|COSIGN)_/.test(name) && !name.startsWith('ATTESTRY_TEST_')) delete env[name];
  }
  delete env.NODE_ENV;
  delete env.NODE_OPTIONS;
  delete env.FORCE_COLOR;
  return env;
}
