import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CommandResult, runCommand } from '../../support/run-command.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * A clone in small: the true launcher and set-up, a command line of one module, and a lock file with one package that
 * lies in the clone itself, so that npm really installs and needs no network.
 */
let clone: string;
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'attestry-clone-'));
  await cp(join(ROOT, 'bin'), join(clone, 'bin'), { recursive: true });
  await cp(join(ROOT, 'scripts', 'setup'), join(clone, 'scripts', 'setup'), { recursive: true });
  await write('worker/cli/main.ts', "export async function runProcess() {\n  process.stdout.write('it runs\\n');\n}\n");
  await write('local/package.json', JSON.stringify({ name: 'local', version: '1.0.0' }));
  await lock(
    { local: 'file:local' },
    { 'node_modules/local': { resolved: 'local', link: true }, local: { version: '1.0.0' } },
  );
});
afterEach(() => rm(clone, { recursive: true, force: true, maxRetries: 10 }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(clone, dirname(path)), { recursive: true });
  await writeFile(join(clone, path), text);
}

async function lock(dependencies: Readonly<Record<string, string>>, packages: object): Promise<void> {
  const named = { name: 'attestry', version: '0.0.0' };
  await write('package.json', JSON.stringify({ ...named, type: 'module', dependencies }));
  const root = { ...named, dependencies };
  await write(
    'package-lock.json',
    JSON.stringify({ ...named, lockfileVersion: 3, packages: { '': root, ...packages } }),
  );
}

/** Runs the launcher under this test's Node, which is new enough to go on with. */
function launch(env: NodeJS.ProcessEnv = {}, args: readonly string[] = []): Promise<CommandResult> {
  return runCommand(process.execPath, [join(clone, 'bin', 'attestry.mjs'), ...args], {
    cwd: tmpdir(),
    env: { ...process.env, ...env },
  });
}

test('the first use installs, says so on standard error, and the second has nothing to do', async () => {
  const first = await launch();
  assert.deepEqual({ code: first.code, stdout: first.stdout }, { code: 0, stdout: 'it runs\n' });
  assert.match(first.stderr, /first use: installing/);
  const second = await launch();
  assert.deepEqual(
    { code: 0, stdout: second.stdout, stderr: second.stderr },
    { code: 0, stdout: 'it runs\n', stderr: '' },
  );
});

test('--quiet keeps the installation to itself', async () => {
  const { stdout, stderr } = await launch({}, ['--quiet']);
  assert.deepEqual({ stdout, stderr }, { stdout: 'it runs\n', stderr: '' });
});

test('two first uses at once install once', async () => {
  const results = await Promise.all([launch(), launch()]);
  for (const { code, stdout } of results) assert.deepEqual({ code, stdout }, { code: 0, stdout: 'it runs\n' });
  const installations = results.filter(({ stderr }) => /first use: installing/.test(stderr));
  assert.equal(installations.length, 1, results.map(({ stderr }) => stderr).join('\n'));
});

test('an installation that was cut off is done anew', async () => {
  await launch();
  await rm(join(clone, 'node_modules', '.package-lock.json'));
  const { stderr, stdout } = await launch();
  assert.match(stderr, /first use: installing/);
  assert.equal(stdout, 'it runs\n');
});

test('settings of the npx that runs the launcher do not steer its npm', async () => {
  const { code, stdout } = await launch({
    npm_config_prefix: tmpdir(),
    npm_config_global: 'true',
    npm_config_omit: 'dev',
  });
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'it runs\n' });
});

test('without npm, one line says what is missing', async () => {
  const { code, stdout, stderr } = await launch({ PATH: join(clone, 'bin'), npm_execpath: '' });
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /npm was not found on PATH; install npm 10 or newer/);
});

test('without the registry, one line says what failed, and nothing runs', async () => {
  await lock({ absent: '1.0.0' }, { 'node_modules/absent': { version: '1.0.0', integrity: 'sha512-AAAA' } });
  const { code, stdout, stderr } = await launch({
    npm_config_registry: 'http://127.0.0.1:9',
    npm_config_fetch_retries: '0',
    npm_config_cache: join(clone, 'cache'),
  });
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /^attestry: "npm ci" failed: /m);
  assert.equal(stderr.trimEnd().split('\n').length, 2, stderr);
});

test('without a home, npm’s cache is kept in the clone', async () => {
  const env = { HOME: undefined, npm_config_cache: undefined };
  const { code, stdout } = await launch(env);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'it runs\n' });
  assert.ok((await readdir(join(clone, '.attestry'))).includes('npm-cache'));
});
