import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLONE, HOST_NODE, runCli, startProgram } from '../../support/cli.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

/** The ports that people expect Redis, a registry and the producer on. */
const USUAL_PORTS = [6379, 5000, 8080];

let scratch: Scratch;
let holders: readonly (Server | undefined)[];

before(async () => {
  [scratch, holders] = await Promise.all([makeScratch(), Promise.all(USUAL_PORTS.map(hold))]);
});

after(async () => {
  for (const server of holders) server?.close();
  await scratch[Symbol.asyncDispose]();
});

/** Listens on a port; undefined when somebody does already, which serves as well. */
async function hold(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => void socket.destroy()).listen(port, '127.0.0.1');
  return Promise.race([once(server, 'listening').then(() => server), once(server, 'error').then(() => undefined)]);
}

/** Command lines of processes that were started on a folder. */
async function processesOn(dir: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (commandLine.includes(dir)) found.push(commandLine.replaceAll('\0', ' '));
  }
  return found;
}

/** The process id of the Redis that runs on a folder; waits until there is one. */
async function redisOn(dir: string): Promise<number> {
  for (;;) {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      if (/^(?:redis|valkey)-server/.test(name) && folder.startsWith(dir)) return Number(pid);
    }
    await sleep(20);
  }
}

/** Servers that were told to end may take a moment to be gone. */
async function noneLeft(dir: string): Promise<void> {
  for (let tries = 0; tries < 100 && (await processesOn(dir)).length > 0; tries++) await sleep(50);
  assert.deepEqual(await processesOn(dir), []);
}

const CHAPTERS = ['A pushed image gets', 'The evidence is deleted', 'The worker attests again', 'Summary'];

describe('start', () => {
  it('--once shows the whole job on a real image and ends with all that it started', async () => {
    await using home = await makeScratch();
    const data = scratch.at('data');
    const args = ['start', '--silent', '--', '--once', '--data', data];
    await using npm = startProgram('npm', args, { env: { HOME: home.dir, NO_COLOR: '1' } });
    const { code, stdout, stderr } = await npm.ended;
    assert.equal(code, 0, stdout + stderr);
    const chapters = CHAPTERS.map((title) => stdout.indexOf(title));
    assert.ok(!chapters.includes(-1), stdout);
    assert.deepEqual(
      chapters,
      chapters.toSorted((a, b) => a - b),
    );
    for (const line of [
      /built an index of two platforms/,
      /push seen: notification of the registry/,
      /SBOM of sha256:[0-9a-f]{12}: [1-9]\d* packages/,
      /slsaprovenance1 of sha256:[0-9a-f]{12} created, signed by https:/,
      / at localhost:\d+\/demo\/app:sha256-[0-9a-f]{64}\.att {2}\(\d+\.\d\d s\)$/m,
      /✓ PASS under ClusterPolicy signed-evidence, as kyverno/,
      /✗ FAIL under ClusterPolicy signed-evidence/,
      /✗ ALERT AttestryVerdictFailed: /,
      /cyclonedx of sha256:[0-9a-f]{12} restored/,
      /alert resolved/,
      /✓ every step had the verdict that it should/,
    ]) {
      assert.match(stdout, line);
    }
    assert.doesNotMatch(stdout, /(?:Redis at 127\.0\.0\.1:6379|localhost:5000\/|127\.0\.0\.1:8080)/);
    await noneLeft(data);
  });

  it('finds its data again in a second run', async () => {
    const data = scratch.at('data');
    const { code, stdout, stderr } = await runCli(['start', '--once', '--data', data]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /slsaprovenance1 of sha256:[0-9a-f]{12} present/);
    await noneLeft(data);
  });

  it('keeps serving until Ctrl-C in the terminal, and leaves nothing running', async () => {
    const data = scratch.at('terminal');
    const command = `"${HOST_NODE}" "${CLONE}bin/attestry.mjs" start --data "${data}"; echo "ended $?"`;
    // script(1) gives the program a terminal of its own; what it reads here is typed there.
    const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, HOME: scratch.dir, SHELL: '/bin/sh' },
    });
    let shown = '';
    let typed = false;
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      if (typed || !/push any image to/.test(shown)) return;
      typed = true;
      terminal.stdin.write('\u0003');
    });
    await once(terminal, 'close');
    assert.ok(typed, shown);
    assert.match(shown, /Serving until Ctrl-C\. Try/);
    assert.match(shown, /npx attestry verify localhost:\d+\/demo\/app:1\.0 --policy /);
    await noneLeft(data);
  });

  it('is stopped early by a signal to the whole group, and leaves nothing running', async () => {
    const data = scratch.at('early');
    await using running = startProgram(HOST_NODE, [`${CLONE}bin/attestry.mjs`, 'start', '--data', data]);
    await running.says(/producer at http/);
    running.signal('SIGINT', 'group');
    const { code } = await running.ended;
    assert.equal(code, 2);
    await noneLeft(data);
  });

  it('ends when a server that it started ends by itself, instead of waiting for what cannot come', async () => {
    const data = scratch.at('broken');
    await using running = startProgram(HOST_NODE, [`${CLONE}bin/attestry.mjs`, 'start', '--once', '--data', data]);
    await running.says(/producer at http/);
    process.kill(await redisOn(data), 'SIGKILL');
    const { code, stderr } = await running.ended;
    assert.equal(code, 2);
    assert.match(stderr, /redis ended by itself/);
    await noneLeft(data);
  });

  it('answers 2 for servers that are given and not there', async () => {
    const args = ['start', '--once', '--data', scratch.at('given'), '--redis', 'redis://127.0.0.1:1'];
    const { code, stderr } = await runCli([...args, '--registry', 'localhost:1']);
    assert.equal(code, 2);
    assert.match(stderr, /^attestry: .*Redis/m);
  });
});
