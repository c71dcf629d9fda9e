import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TOOL_VERSION } from '#model/tool.ts';
import { runCommand } from '../../support/run-command.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BIN = join(ROOT, 'bin', 'attestry.mjs');
const VERSION_LINE = `attestry ${TOOL_VERSION}\n`;

/** The environment of a person at a shell: the machine's own Node first, whichever that is, and an empty home. */
function shell(home: string): NodeJS.ProcessEnv {
  const PATH = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .join(delimiter);
  return { ...process.env, PATH, HOME: home };
}

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'attestry-home-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** A registry that takes connections and never answers: whoever asks waits. */
let silent: Server;
before(async () => {
  silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
});
after(async () => {
  silent.closeAllConnections();
  silent.close();
  await once(silent, 'close');
});

test('a command runs from any directory, and writes nothing below an empty home', async () => {
  const { code, stdout, stderr } = await runCommand('node', [BIN, '--version'], { cwd: home, env: shell(home) });
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: VERSION_LINE, stderr: '' });
  assert.deepEqual(await readdir(home), []);
});

test('npx finds the command of the clone from any directory', async () => {
  const { code, stdout } = await runCommand('npx', ['--prefix', ROOT, 'attestry', '--version'], {
    cwd: home,
    env: shell(home),
  });
  assert.deepEqual({ code, stdout }, { code: 0, stdout: VERSION_LINE });
});

test('exit codes come through', async () => {
  const { code, stdout, stderr } = await runCommand('node', [BIN, 'no-such-command'], { env: shell(home) });
  assert.equal(code, 64);
  assert.equal(stdout, '');
  assert.match(stderr, /there is no command "no-such-command"/);
});

test('SIGTERM reaches the command, which ends in order', async () => {
  const { child, connection } = await startWaiting(home);
  child.kill('SIGTERM');
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  assert.equal(signal, null);
  assert.equal(code, 2);
  await connection;
});

test('when the launcher is killed outright, the command ends as well', async () => {
  const { child, connection } = await startWaiting(home);
  child.kill('SIGKILL');
  await once(child, 'exit');
  // Whoever held the connection is gone: it was the program itself.
  await connection;
});

/** Starts a command that waits for the silent registry; `connection` resolves when it lets go. */
async function startWaiting(folder: string) {
  const address = silent.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const asked = once(silent, 'request');
  const child = spawn('node', [BIN, 'sbom', `127.0.0.1:${port}/team/app:1`, '--quiet'], {
    env: shell(folder),
    stdio: 'ignore',
  });
  const [request] = (await asked) as [{ socket: NodeJS.EventEmitter }];
  return { child, connection: once(request.socket, 'close') };
}
