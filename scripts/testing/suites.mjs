import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const MINUTE = 60_000;

/**
 * The suites by name: their folder, and how long one file may take (far above what it needs: it only ends
 * a test that hangs), which tools of others (ids, or all) and which more servers it needs, and whether each file gets a network
 * of its own, since the servers that it starts want fixed ports.
 */
export const SUITES = {
  unit: { folder: 'test/unit', fileLimitMs: 2 * MINUTE },
  arch: { folder: 'test/arch', fileLimitMs: 2 * MINUTE },
  'registry-events': { folder: 'test/registry-events', fileLimitMs: 2 * MINUTE },
  integration: { folder: 'test/integration', fileLimitMs: 5 * MINUTE },
  interop: { folder: 'test/interop', fileLimitMs: 20 * MINUTE, tools: 'all', servers: ['postgres'], ownNetwork: true },
  faults: { folder: 'test/faults', fileLimitMs: 10 * MINUTE, tools: ['cosign2', 'cosign3'] },
};

/** What `npm test` runs, in order: the fastest answer first. */
export const TEST_SUITES = ['unit', 'arch', 'registry-events', 'integration'];

/** What .ci/run adds. */
export const LONG_SUITES = ['interop', 'faults'];

/** The test files of a suite, relative to the clone, sorted. */
export function suiteFiles(root, name) {
  const { folder } = SUITES[name];
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join(folder, path))
    .sort();
}
