import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { toolFolder } from './go-tools.mjs';
import { SetupError } from './setup-error.mjs';

const LEAST = [1, 26];

/** @throws SetupError in one line when Go is missing or too old. */
export function requireGo() {
  const { stdout } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', env: goEnvironment() });
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  if (Number(major) > LEAST[0] || (Number(major) === LEAST[0] && Number(minor) >= LEAST[1])) return;
  const found = major === undefined ? 'none is there' : `that is ${major}.${minor}`;
  throw new SetupError(
    `the interop suite needs Go ${LEAST.join('.')} or newer on PATH to build the tools that judge (${found}); install it from go.dev/dl`,
  );
}

/**
 * Builds one tool into its folder under the clone. The folder appears whole or not at all.
 * @throws SetupError with Go's last words.
 */
export async function buildTool(root, tool) {
  const folder = toolFolder(root, tool);
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  // What was fetched and compiled stays in Go's caches: a second try after a broken download costs little.
  const way = tool.patched ? buildPatched : build;
  const { code, output } = await way(root, tool, fresh).then((first) =>
    first.code === 0 ? first : way(root, tool, fresh),
  );
  if (code !== 0) {
    throw new SetupError(`${tool.id} ${tool.version} could not be built: ${output.trim().split('\n').at(-1)}`);
  }
  if (tool.made !== undefined) renameSync(join(fresh, tool.made), join(fresh, tool.id));
  if (tool.keep !== undefined) await keepSource(root, tool, fresh);
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}

function build(root, { id, version, module, folder, target }, fresh) {
  const env = goEnvironment(root);
  if (module !== undefined) return go(['install', `${module}@v${version}`], root, { ...env, GOBIN: fresh });
  return go(['build', '-o', join(fresh, id), target], join(root, 'scripts', 'tools', folder), env);
}

/**
 * Builds from a copy of what the module needs, in which single places are replaced: for a module whose go.mod, once it is
 * published, names other versions than its release was built from.
 */
async function buildPatched(root, { id, folder, target }, fresh) {
  const source = join(fresh, 'source');
  rmSync(source, { recursive: true, force: true });
  cpSync(join(root, 'scripts', 'tools', folder), source, { recursive: true });
  const env = goEnvironment(root);
  const vendored = await go(['mod', 'vendor'], source, env);
  if (vendored.code !== 0) return vendored;
  for (const { file, from, to } of JSON.parse(readFileSync(join(source, 'patches.json'), 'utf8'))) {
    const path = join(source, 'vendor', file);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(from)) return { code: 1, output: `there is nothing to replace in ${file}` };
    writeFileSync(path, text.replace(from, to));
  }
  const built = await go(['build', '-mod=vendor', '-o', join(fresh, id), target], source, env);
  rmSync(source, { recursive: true, force: true });
  return built;
}

async function keepSource(root, { id, version, keep }, fresh) {
  const { code, output } = await go(
    ['mod', 'download', '-json', `${keep.module}@v${version}`],
    root,
    goEnvironment(root),
  );
  const source = code === 0 ? JSON.parse(output).Dir : undefined;
  if (source === undefined) throw new SetupError(`the source of ${id} ${version} could not be fetched`);
  copyFileSync(join(source, keep.path), join(fresh, basename(keep.path)));
}

function go(args, cwd, env) {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const end = () => child.kill();
    process.once('exit', end);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output = `${output}${chunk}`.slice(-8192);
      });
    }
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('exit', end);
      resolve({ code, output });
    });
  });
}

/** Go as it is installed: no other toolchain is fetched, and no workspace or flag of the caller's changes what is built. */
function goEnvironment(root) {
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '' };
  if (env.HOME || root === undefined) return env;
  // Without a home, Go has no place for its caches either.
  return { ...env, GOPATH: join(root, '.attestry', 'go'), GOCACHE: join(root, '.attestry', 'go-build') };
}
