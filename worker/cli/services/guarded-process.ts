import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '#model/errors.ts';

/**
 * Runs the server beside a reader of a pipe that this process holds open. However this process ends, the pipe closes,
 * and the server gets SIGTERM: `kill -9` leaves no orphan.
 */
const GUARD = `
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(read -r line <&3; kill -TERM "$server") 2>/dev/null &
guard=$!
exec 3<&-
wait "$server"
status=$?
kill "$guard" 2>/dev/null
exit "$status"
`;

/** How long a server may take to put its data away after SIGTERM. */
const STOP_MS = 10_000;

export interface GuardedProcess {
  readonly pid: number;
  /** Resolves when the server has ended, in whatever way. */
  readonly ended: Promise<number | null>;
  /** Ends the server in order, and by force when it does not follow. */
  stop(): Promise<void>;
}

/**
 * Starts a server whose life is tied to this process. Its output goes to `logFile`, written anew.
 * @throws AppError `server-failed` when the process cannot be made.
 */
export async function startGuarded(command: readonly string[], logFile: string): Promise<GuardedProcess> {
  const log = openSync(logFile, 'w', 0o600);
  // A session of its own: Ctrl-C in the terminal reaches only us, and we stop the server last.
  const child = spawn('/bin/sh', ['-c', GUARD, 'attestry-guard', ...command], {
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  child.stdin?.on('error', ignoreClosedPipe);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      child.stdin?.destroy();
      resolve(code);
    });
  });
  const pid = await spawned(child);
  return { pid, ended, stop: () => stop(child, pid, ended) };
}

function spawned(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (cause) => {
      reject(new AppError('server-failed', `/bin/sh could not be started: ${cause.message}`, { cause }));
    });
  });
}

async function stop(child: ChildProcess, pid: number, ended: Promise<unknown>): Promise<void> {
  child.stdin?.end();
  const patience = new AbortController();
  const late = sleep(STOP_MS, 'late', { signal: patience.signal }).catch(() => undefined);
  if ((await Promise.race([ended, late])) === 'late') {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended between the last look and the signal.
    }
    await ended;
  }
  patience.abort();
}

function ignoreClosedPipe(): void {}
