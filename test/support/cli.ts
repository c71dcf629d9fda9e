import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone that is tested. */
export const CLONE = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(CLONE, 'bin', 'attestry.mjs');

/**
 * The Node that a person calls the program with: another one of PATH when the machine has one, since the launcher must
 * get along with it; else the one that runs this test.
 */
export const HOST_NODE = otherNode() ?? process.execPath;

function otherNode(): string | undefined {
  const candidates = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  return candidates.filter(existsSync).find((path) => {
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    return /^v(?:2\d|[3-9]\d)\./.test(stdout) && stdout.trim() !== process.version;
  });
}

/** Far more than any step takes; it only makes a test that waits in vain say so. */
const STUCK_MS = 60_000;

export interface CliSettings {
  readonly cwd?: string;
  /** Beside PATH; nothing else of the test's own environment is handed on. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running program: what it said so far, and how it ended. */
export interface RunningCli extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Process group of all that it starts. */
  readonly group: number;
  readonly ended: Promise<CliResult>;
  /** Resolves with the match once stdout or stderr holds it; rejects when the program ends without it, or is stuck. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal to the launcher, as a service manager does, or to all as a terminal's Ctrl-C does. */
  signal(name: NodeJS.Signals, to: 'launcher' | 'group'): void;
}

/** Starts the real program in a process group of its own, without standard input and without HOME. */
export function startCli(args: readonly string[], settings: CliSettings = {}): RunningCli {
  return startProgram(HOST_NODE, [BIN, ...args], settings);
}

/** Runs the real program to its end. */
export async function runCli(args: readonly string[], settings: CliSettings = {}): Promise<CliResult> {
  await using running = startCli(args, settings);
  return await running.ended;
}

/** Starts any program as `startCli` does. */
export function startProgram(command: string, args: readonly string[], settings: CliSettings = {}): RunningCli {
  const child = spawn(command, args, {
    cwd: settings.cwd ?? CLONE,
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...settings.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const group = child.pid ?? 0;
  const text = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...text }));
  });
  const killAll = () => void killGroup(group, 'SIGKILL');
  process.once('exit', killAll);

  async function says(pattern: RegExp): Promise<RegExpExecArray> {
    const said = Promise.withResolvers<RegExpExecArray>();
    const fail = (how: string) => said.reject(new Error(`${how} and never said ${pattern}:\n${text.stderr}`));
    const look = () => {
      const match = pattern.exec(text.stdout) ?? pattern.exec(text.stderr);
      if (match) said.resolve(match);
    };
    const stuck = setTimeout(() => fail(`ran for ${STUCK_MS} ms`), STUCK_MS);
    listeners.add(look);
    look();
    void ended.then(({ code }) => fail(`ended with ${code}`), said.reject);
    try {
      return await said.promise;
    } finally {
      clearTimeout(stuck);
      listeners.delete(look);
    }
  }

  return {
    child,
    group,
    ended,
    says,
    signal: (name, to) => void (to === 'group' ? killGroup(group, name) : child.kill(name)),
    [Symbol.asyncDispose]: async () => {
      killAll();
      await ended.catch(() => {});
      process.removeListener('exit', killAll);
    },
  };
}

/** True while a process of the group lives. */
export function isGroupAlive(group: number): boolean {
  return killGroup(group, 0);
}

function killGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
