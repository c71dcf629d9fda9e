import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** An alert as GET /api/v2/alerts shows it. */
export interface GettableAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
  readonly status: { readonly state: 'active' | 'suppressed' | 'unprocessed' };
}

/** A real Alertmanager of its own for one test file. */
export interface TestAlertmanager extends AsyncDisposable {
  readonly url: string;
  /** What is firing now, by label matchers such as `alertname="X"`. */
  alerts(...filters: readonly string[]): Promise<readonly GettableAlert[]>;
}

const CONFIG = 'route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n';
const READY_WITHIN_MS = 20_000;
const PORT_ATTEMPTS = 5;

/** Debian calls it prometheus-alertmanager, the project itself alertmanager. */
function binary(): string {
  const names = ['/usr/bin/prometheus-alertmanager', '/usr/local/bin/alertmanager', '/usr/bin/alertmanager'];
  const found = names.find((name) => existsSync(name));
  if (!found) throw new Error('Alertmanager is not installed: apt-get install prometheus-alertmanager');
  return found;
}

export async function startAlertmanager(): Promise<TestAlertmanager> {
  for (let attempt = 1; ; attempt++) {
    const dir = await mkdtemp(join(tmpdir(), 'attestry-alertmanager-'));
    try {
      return await serve(dir, await freePort());
    } catch (error) {
      await rm(dir, { recursive: true, force: true });
      // Another process may take the port between the look and the bind.
      if (attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function serve(dir: string, port: number): Promise<TestAlertmanager> {
  const config = join(dir, 'alertmanager.yml');
  await writeFile(config, CONFIG);
  const url = `http://127.0.0.1:${port}`;
  const args = [`--config.file=${config}`, `--storage.path=${dir}/data`, '--cluster.listen-address='];
  const child = spawn(binary(), [...args, `--web.listen-address=127.0.0.1:${port}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const onExit = () => void child.kill('SIGKILL');
  process.once('exit', onExit);
  const stop = async () => {
    process.removeListener('exit', onExit);
    await ended(child);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await answers(`${url}/-/ready`, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    async alerts(...filters) {
      const query = new URLSearchParams(filters.map((filter): [string, string] => ['filter', filter]));
      const response = await fetch(`${url}/api/v2/alerts?${query}`);
      return (await response.json()) as GettableAlert[];
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-2000);
  });
  child.once('error', (error) => {
    output += error.message;
  });
  const giveUp = performance.now() + READY_WITHIN_MS;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || child.pid === undefined) throw new Error(`Alertmanager ended: ${output}`);
    if (performance.now() > giveUp) throw new Error(`Alertmanager does not answer: ${output}`);
    await sleep(50);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
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
