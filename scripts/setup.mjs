// node scripts/setup.mjs [--for test | --for tokens] [--quiet]: everything that a fresh clone needs, by plain JavaScript for Node 20.
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
  const ids = ['redis', 'registry', ...(forTest ? ['alertmanager', 'softhsm', 'nats', 'openssl'] : [])];
  const servers = await ensureServers({ root: ROOT, say: progress, ids });
  if (forTest) await ensureTokenBinding({ root: ROOT, say: progress });
  return { node: findNode(ROOT), servers };
}

/** What keys in PKCS #11 tokens need beside the packages. @throws SetupError */
async function setUpTokens(progress) {
  await ensurePackages(ROOT, progress, { dev: false });
  await ensureTokenBinding({ root: ROOT, say: progress });
  progress('the PKCS #11 binding is there');
}

async function main(args) {
  const isFor = (purpose) => args.includes(purpose) && args[args.indexOf(purpose) - 1] === '--for';
  const unknown = args.filter((arg) => !['--for', 'test', 'tokens', '--quiet'].includes(arg));
  if (unknown.length > 0) throw new SetupError(`unknown argument ${unknown[0]}; use --for test, --for tokens, --quiet`);
  const progress = args.includes('--quiet') ? sayNothing : say;
  if (isFor('tokens')) return await setUpTokens(progress);
  const { node, servers } = await setUp({ forTest: isFor('test'), progress });
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
