import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { canInstall, installWithApt } from './apt.mjs';
import { withLock } from './lock.mjs';
import { SetupError } from './setup-error.mjs';

const NEEDED = [
  { command: 'g++', package: 'g++' },
  { command: 'make', package: 'make' },
  { command: 'python3', package: 'python3-minimal' },
];

/** Whether the arguments of a command name a key in a token. */
export function namesToken(args) {
  return args.some((arg) => /^(?:--[a-z-]+=)?pkcs11:/i.test(arg));
}

/**
 * Builds the binding to PKCS #11 modules, whose package holds sources alone. Only who uses a token needs it, and the
 * tests do. Headers are those of the Node among the packages, so that nothing is fetched.
 * @throws SetupError when a compiler is missing or the build fails.
 */
export async function ensureTokenBinding({ root, say }) {
  const binding = join(root, 'node_modules', 'pkcs11js');
  const built = () => existsSync(join(binding, 'build', 'Release', 'pkcs11.node'));
  if (built()) return;
  if (!existsSync(join(binding, 'package.json'))) {
    throw new SetupError(
      `pkcs11js is not among the packages of ${root}; run "npm ci --ignore-scripts --include=optional" there`,
    );
  }
  try {
    await build(root, say, built);
  } catch (error) {
    if (error.code !== 'EROFS' && error.code !== 'EACCES') throw error;
    throw new SetupError(
      `the PKCS #11 binding must be built in ${root}, which is not writable; run "npm run token-binding" there once as its owner`,
      { cause: error },
    );
  }
}

async function build(root, say, built) {
  await withLock(join(root, '.attestry', 'binding.lock'), say, async () => {
    if (built()) return;
    await ensureCompiler(say);
    say('building the PKCS #11 binding ...');
    const headers = join(root, 'node_modules', `node-linux-${process.arch}`);
    const env = { ...process.env, ...(existsSync(join(headers, 'include')) ? { npm_config_nodedir: headers } : {}) };
    const { status, stderr } = spawnSync('npm', ['rebuild', 'pkcs11js', '--ignore-scripts=false'], {
      cwd: root,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status === 0 && built()) return;
    const words = stderr?.split('\n').findLast((line) => /error/i.test(line)) ?? 'npm rebuild gave no reason';
    throw new SetupError(`the PKCS #11 binding could not be built: ${words}`);
  });
}

async function ensureCompiler(say) {
  const missing = NEEDED.filter(({ command }) => spawnSync(command, ['--version'], { stdio: 'ignore' }).error);
  if (missing.length === 0) return;
  const packages = missing.map((each) => each.package);
  if (canInstall()) return await installWithApt(packages, say);
  throw new SetupError(
    `needed to build the PKCS #11 binding and not found: ${missing.map(({ command }) => command).join(', ')}; on Debian and Ubuntu run: sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`,
  );
}
