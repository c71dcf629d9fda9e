// node scripts/setup.mjs [--for test] [--quiet]: everything that a fresh clone needs, by plain JavaScript for Node 20.
import { fileURLToPath } from 'node:url';
import { ensurePackages } from './setup/packages.mjs';
import { findNode } from './setup/runtime.mjs';
import { ensureServers } from './setup/servers.mjs';
import { SetupError, say, sayNothing } from './setup/setup-error.mjs';
import { ensureTokenBinding } from './setup/token-binding.mjs';

/** The clone that this file lies in. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Brings Node, the locked packages and the servers; `forTest` adds what only tests start. Fast when all is there.
 * @returns the paths of Node and of each server
 * @throws SetupError
 */
export async function setUp({ forTest = false, progress = say } = {}) {
  await ensurePackages(ROOT, progress, { dev: forTest });
  const ids = ['redis', 'registry', ...(forTest ? ['alertmanager', 'softhsm'] : [])];
  const servers = await ensureServers({ root: ROOT, say: progress, ids });
  if (forTest) await ensureTokenBinding({ root: ROOT, say: progress });
  return { node: findNode(ROOT), servers };
}

async function main(args) {
  const forTest = args.includes('test') && args[args.indexOf('test') - 1] === '--for';
  const unknown = args.filter((arg) => !['--for', 'test', '--quiet'].includes(arg));
  if (unknown.length > 0) throw new SetupError(`unknown argument ${unknown[0]}; use --for test, --quiet`);
  const { node, servers } = await setUp({ forTest, progress: args.includes('--quiet') ? sayNothing : say });
  for (const [id, path] of Object.entries({ node, ...servers })) process.stdout.write(`${id} ${path}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 2;
  }
}
