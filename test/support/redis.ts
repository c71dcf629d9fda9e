import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A real redis-server of its own for one test file. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now; a restart changes it. */
  readonly pid: number;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
  /** `kill -9`; the data stays for `restart`. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Starts the server again on the same port and data; ends it first if it still runs. */
  restart(): Promise<void>;
  /** As `restart`, without the data. */
  lose(): Promise<void>;
}

/** Every write is on disk before it is acknowledged: what the durability tests rest on. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--maxmemory-policy', 'noeviction'];
const READY_WITHIN_MS = 20_000;
const PORT_ATTEMPTS = 5;

/**
 * Starts redis-server on a free port of the loopback interface, in a directory of its own. Later `args` win over the
 * durable defaults.
 */
export async function startRedis(options: { args?: readonly string[] } = {}): Promise<TestRedis> {
  for (let attempt = 1; ; attempt++) {
    const dir = await mkdtemp(join(tmpdir(), 'attestry-redis-'));
    try {
      return await serve(await freePort(), dir, options.args ?? []);
    } catch (error) {
      rmSync(dir, { recursive: true, force: true });
      // Another process may take the port between the look and the bind.
      if (attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function serve(port: number, dir: string, args: readonly string[]): Promise<TestRedis> {
  let child = await launch(port, dir, args);
  const onExit = () => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  };
  process.once('exit', onExit);

  async function kill(): Promise<void> {
    await ended(child, 'SIGKILL');
  }

  async function stop(): Promise<void> {
    await kill();
    process.removeListener('exit', onExit);
    rmSync(dir, { recursive: true, force: true });
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid ?? 0;
    },
    kill,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async restart() {
      await kill();
      child = await launch(port, dir, args);
    },
    async lose() {
      await kill();
      for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true });
      child = await launch(port, dir, args);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function launch(port: number, dir: string, args: readonly string[]): Promise<ChildProcess> {
  const server = ['redis-server', '--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, ...DURABLE, ...args];
  // The kernel ends the server with a test process that is itself killed with -9.
  const [command = '', ...rest] = existsSync('/usr/bin/setpriv')
    ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', ...server]
    : server;
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-2000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.once('error', (error) => keep(Buffer.from(error.message)));
  await answers(port, child, () => output);
  return child;
}

async function answers(port: number, child: ChildProcess, output: () => string): Promise<void> {
  const giveUp = performance.now() + READY_WITHIN_MS;
  while (!(await ping(port))) {
    if (child.exitCode !== null || child.pid === undefined) throw new Error(`redis-server ended: ${output()}`);
    if (performance.now() > giveUp) {
      await ended(child, 'SIGKILL');
      throw new Error(`redis-server does not answer: ${output()}`);
    }
    await sleep(20);
  }
}

/** True on +PONG; a server that still loads its data answers -LOADING. */
function ping(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const done = (ok: boolean) => {
      socket.destroy();
      resolve(ok);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('error', () => done(false));
    socket.once('data', (data) => done(!data.toString().startsWith('-LOADING')));
  });
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  await gone;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
