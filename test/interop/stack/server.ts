import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server of others that runs until it is stopped. */
export interface Server {
  readonly name: string;
  /** MiB of memory that it holds (VmRSS). */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

export interface ServerSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whom it runs as, where it refuses to be root. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Whether it answers by now. */
  readonly ready: () => Promise<boolean>;
  readonly stopSignal?: NodeJS.Signals;
}

const POLL_MS = 50;
/** Far above what any of them takes, also on a machine that does much else. */
const READY_MS = 60_000;
/** Nothing that they hold is worth waiting for longer. */
const STOP_MS = 1_000;
const KEPT = 16_384;

/** What runs is ended with this process, however it ends. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a server and waits until it is ready. @throws with what it said last when it ends or never is. */
export async function startServer(spec: ServerSpec): Promise<Server> {
  const { name, command, args, env, user, stopSignal = 'SIGTERM' } = spec;
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-KEPT);
    });
  }
  let over = false;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      over = true;
      resolve();
    };
    child.once('error', end);
    child.once('close', end);
  });
  running.add(child);
  const stop = async () => {
    child.kill(stopSignal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
    running.delete(child);
  };
  const deadline = performance.now() + READY_MS;
  let ready = false;
  while (!over && !ready && performance.now() < deadline) {
    ready = await spec.ready().catch(() => false);
    if (!ready) await sleep(POLL_MS);
  }
  if (!ready || over) {
    const how = over ? 'ended' : 'is not ready';
    await stop();
    throw new Error(`${name} ${how}: ${said.slice(-2000)}`);
  }
  return { name, memory: () => residentMiB(child.pid), stop };
}

async function residentMiB(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
}

/** Whether this URL answers well, and its body holds this text. */
export async function answers(url: string, text = ''): Promise<boolean> {
  // A connection that stays open would keep the server from stopping.
  const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(2_000) });
  return response.ok && (await response.text()).includes(text);
}
