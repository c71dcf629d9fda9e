import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, sep } from 'node:path';
import { withLock } from './lock.mjs';
import { bundledNode, isSuitableNode } from './runtime.mjs';
import { SetupError } from './setup-error.mjs';

const ARGUMENTS = [
  'ci',
  // The bundled Node is optional (one package for each architecture), and `npm test` needs the rest.
  '--include=dev',
  '--include=optional',
  // No locked package needs its scripts, and what is not run cannot do harm.
  '--ignore-scripts',
  // npm may well run on the Node 20 that the packages themselves refuse.
  '--engine-strict=false',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
];

/**
 * Whether node_modules is what package-lock.json says, with `dev` also the packages of development. npm writes `node_modules/.package-lock.json` as the last act of
 * an installation, so that an interrupted one never looks complete.
 */
export function packagesCurrent(root, { dev }) {
  const wanted = lockedPackages(join(root, 'package-lock.json'));
  const installed = lockedPackages(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !installed) return false;
  if (!isSuitableNode(process.version) && !bundledNode(root)) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || (entry.dev === true && !dev)) return true;
    const present = installed[path];
    // Optional packages of other platforms are rightly absent.
    if (!present) return entry.optional === true;
    return present.version === entry.version && present.integrity === entry.integrity;
  });
}

/**
 * Installs Node and all packages of the lock file into the clone unless what is needed is there. Writes nothing when they are,
 * so that a clone that is set up may be read-only.
 * @throws SetupError when npm is missing or fails.
 */
export async function ensurePackages(root, say, { dev }) {
  if (packagesCurrent(root, { dev })) return;
  try {
    await withLock(join(root, '.attestry', 'setup.lock'), say, async (addProcess) => {
      if (packagesCurrent(root, { dev })) return;
      await install(root, say, addProcess);
    });
  } catch (error) {
    if (error.code === 'EROFS' || error.code === 'EACCES') {
      throw new SetupError(
        `first use must install its packages into ${root}, which is not writable; run "npm ci --ignore-scripts" there once as its owner`,
        { cause: error },
      );
    }
    throw error;
  }
}

async function install(root, say, addProcess) {
  const began = performance.now();
  say(`first use: installing Node 24 and the locked packages into ${join(root, 'node_modules')} (npm ci) ...`);
  const { code, errors } = await runNpm(root, addProcess);
  if (code !== 0) {
    throw new SetupError(
      `"npm ci" failed: ${cause(errors)}; the first use needs npm's registry, or what it holds in npm's cache`,
    );
  }
  if (!packagesCurrent(root, { dev: true })) {
    throw new SetupError(
      `"npm ci" ended well, but there is no Node 24 for ${process.platform} ${process.arch} among the packages; install Node 24.15 or newer`,
    );
  }
  say(`packages are ready (${Math.round((performance.now() - began) / 1000)} s)`);
}

function runNpm(root, addProcess) {
  const env = npmEnvironment(root);
  const command = npmCommand(env);
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], [...command.slice(1), ...ARGUMENTS], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stdout.on('data', () => {});
    child.stderr.on('data', (chunk) => {
      // npm's own words are only wanted when it fails, and then only some.
      errors = `${errors}${chunk}`.slice(-8192);
    });
    const stop = forwardStop(child);
    child.once('spawn', () => addProcess(child.pid));
    child.once('error', (error) => {
      stop();
      reject(
        error.code === 'ENOENT'
          ? new SetupError('npm was not found on PATH; install npm 10 or newer, then run this again')
          : error,
      );
    });
    child.once('close', (code, signal) => {
      stop();
      if (signal) errors = `npm was ended by ${signal}`;
      resolve({ code, errors });
    });
  });
}

/** Ends npm together with this process, so that no half-done installation goes on behind the next one's back. */
function forwardStop(child) {
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
    const handler = () => child.kill('SIGTERM');
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}

function npmCommand(env) {
  const onPath = env.PATH.split(delimiter).some((folder) => folder && existsSync(join(folder, 'npm')));
  const running = process.env.npm_execpath;
  return !onPath && running?.endsWith('npm-cli.js') ? [process.execPath, running] : ['npm'];
}

/** What a person may set for every npm; the rest describes the npm or npx that runs us and must not steer this one. */
const KEPT =
  /^npm_config_(?:\/\/.*|registry|.*:registry|cache|userconfig|globalconfig|https?_proxy|proxy|no_?proxy|ca|cafile|cert|key|strict_ssl|offline|prefer_offline|fetch_.*|maxsockets|user_agent)$/i;

function npmEnvironment(root) {
  const env = { ...process.env };
  for (const name of Object.keys(env)) {
    if (/^npm_/i.test(name) && !KEPT.test(name)) delete env[name];
  }
  delete env.NODE_ENV;
  delete env.NODE_OPTIONS;
  // `npm ci` starts by deleting node_modules; it must not run on the Node that lies in there.
  const inside = join(root, 'node_modules') + sep;
  env.PATH = (env.PATH ?? '/usr/local/bin:/usr/bin:/bin')
    .split(delimiter)
    .filter((folder) => !`${folder}${sep}`.startsWith(inside))
    .join(delimiter);
  if (env.npm_config_cache === undefined && !hasHome()) env.npm_config_cache = join(root, '.attestry', 'npm-cache');
  return env;
}

/** True when npm's usual cache is there to be used: a home that is somebody's, not an empty or missing one. */
function hasHome() {
  try {
    return process.env.HOME !== undefined && process.env.HOME !== '' && statSync(join(homedir(), '.npm')).isDirectory();
  } catch {
    return false;
  }
}

function lockedPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** The line of npm's output that says what happened. */
function cause(errors) {
  const lines = errors
    .split('\n')
    .map((line) => line.replace(/^npm (?:error|ERR!) ?/, '').trim())
    // npm 10 and 11 answer an unreachable registry with nothing but news of a defect of their own.
    .filter(
      (line) =>
        line !== '' &&
        !/^(?:code|errno|syscall|at |A complete log|Exit handler never|This is an error with npm|<https)/.test(line),
    );
  return lines[0] ?? 'npm gave no reason, as it does when it cannot reach its registry';
}
