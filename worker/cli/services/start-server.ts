import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataDirectory } from '#cli/services/data-directory.ts';
import { findServer, type ServerProgram } from '#cli/services/find-server.ts';
import { freePort } from '#cli/services/free-port.ts';
import { type GuardedProcess, startGuarded } from '#cli/services/guarded-process.ts';
import { AppError } from '#model/errors.ts';

/** What one kind of server needs to run here. */
export interface ServerKind {
  readonly name: 'redis' | 'registry';
  readonly program: ServerProgram;
  /** The port that people expect it on. */
  readonly usualPort: number;
  /** Prepares `dir` and answers the arguments of the program. */
  prepare(dir: string, port: number): Promise<readonly string[]>;
  /** Whether it serves yet; never throws. */
  answers(port: number, signal: AbortSignal): Promise<boolean>;
}

export interface StartedServer {
  readonly name: ServerKind['name'];
  readonly port: number;
  readonly process: GuardedProcess;
}

export interface StartSettings {
  readonly directory: DataDirectory;
  /** The value of PATH. */
  readonly path: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const ATTEMPTS = 5;
const POLL_MS = 50;
const ONE_ANSWER_MS = 2_000;
/** Redis answers only when its file is loaded; what has not answered by then never will. */
const READY_MS = 60_000;
const LOG_SHOWN = 600;

/**
 * Starts a server and waits until it answers; steps to another port when somebody takes the chosen one meanwhile.
 * @throws AppError `server-missing`, `server-failed` with the server's last words, `canceled`
 */
export async function startServer(kind: ServerKind, settings: StartSettings): Promise<StartedServer> {
  const program = await findServer(kind.program, settings.path);
  const { path: dir } = settings.directory;
  const logFile = join(dir, `${kind.name}.log`);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? kind.usualPort : 0);
    if (attempt === 1 && port !== kind.usualPort) {
      settings.log(`port ${kind.usualPort} is in use; ${kind.name} takes ${port}`);
    }
    const process = await startGuarded([program, ...(await kind.prepare(dir, port))], logFile);
    const started: StartedServer = { name: kind.name, port, process };
    try {
      await settings.directory.holdFor(process.pid);
      await untilReady(kind, started, logFile, settings.signal);
      return started;
    } catch (error) {
      await process.stop();
      const words = await lastWords(logFile);
      if (attempt === ATTEMPTS || !/address already in use/i.test(words)) throw error;
    }
  }
}

async function untilReady(
  kind: ServerKind,
  { port, process }: StartedServer,
  logFile: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  let ended = false;
  void process.ended.then(() => {
    ended = true;
  });
  for (let waited = 0; waited < READY_MS; waited += POLL_MS) {
    if (signal?.aborted) throw new AppError('canceled', `the start of ${kind.name} was stopped`);
    if (ended) throw failed(`${kind.name} ended while it started`, await lastWords(logFile), logFile);
    if ((await kind.answers(port, AbortSignal.timeout(ONE_ANSWER_MS))) && !ended) return;
    await sleep(POLL_MS);
  }
  throw failed(`${kind.name} did not answer within a minute`, await lastWords(logFile), logFile);
}

function failed(what: string, words: string, logFile: string): AppError {
  return new AppError('server-failed', `${what}: ${words.trim().slice(-LOG_SHOWN) || 'it said nothing'}`, {
    mend: `its whole log is ${logFile}`,
  });
}

async function lastWords(logFile: string): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  return log.slice(-4096);
}
