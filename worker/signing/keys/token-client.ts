import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { AppError } from '#model/errors.ts';
import type {
  TokenAnswer,
  TokenFailure,
  TokenKeyQuery,
  TokenPublicKey,
  TokenRequest,
} from '#signing/keys/token-messages.ts';

/** A network HSM may take its time; one that takes longer has hung. */
const TIMEOUT_MS = 30_000;

/** The process that holds one PKCS #11 module, and its keys. */
export interface TokenClient extends AsyncDisposable {
  open(key: TokenKeyQuery, pin: string | undefined): Promise<OpenedToken>;
}

export interface OpenedToken {
  readonly publicKey: TokenPublicKey;
  sign(digest: Uint8Array, signal: AbortSignal | undefined): Promise<Buffer>;
}

/** A failure that the token told, still without words for people. */
export class TokenRefusal extends Error {
  readonly failure: TokenFailure;

  constructor(failure: TokenFailure, name: string) {
    super(name);
    this.name = 'TokenRefusal';
    this.failure = failure;
  }
}

/** Starts the process at the first use, and anew after it ended or hung. */
export function createTokenClient(modulePath: string, timeoutMs = TIMEOUT_MS): TokenClient {
  let current: Holder | undefined;

  function holder(): Holder {
    if (!current?.alive()) current = startHolder(modulePath, timeoutMs);
    return current;
  }

  return {
    open: async (key, pin) => {
      const at = holder();
      const answer = await at.ask({ ask: 'open', key, ...(pin === undefined ? {} : { pin }) });
      if (!('opened' in answer)) throw new TokenRefusal('lost', 'answer');
      const { handle, key: publicKey } = answer.opened;
      return {
        publicKey,
        sign: async (digest, signal) => {
          const signed = await at.ask({ ask: 'sign', handle, digest: Buffer.from(digest).toString('base64') }, signal);
          if (!('signature' in signed)) throw new TokenRefusal('lost', 'answer');
          return Buffer.from(signed.signature, 'base64');
        },
      };
    },
    [Symbol.asyncDispose]: async () => {
      await current?.stop();
    },
  };
}

type Question<Request> = Request extends unknown ? Omit<Request, 'id'> : never;
type Answered = Extract<TokenAnswer, { ok: true }>;

interface Holder {
  alive(): boolean;
  ask(question: Question<TokenRequest>, signal?: AbortSignal): Promise<Answered>;
  stop(): Promise<void>;
}

interface Pending {
  resolve(answer: Answered): void;
  reject(error: Error): void;
}

function startHolder(modulePath: string, timeoutMs: number): Holder {
  const child = fork(fileURLToPath(import.meta.resolve('#signing/keys/token-process.ts')), [modulePath], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const pending = new Map<number, Pending>();
  let asked = 0;
  let ended = false;
  child.on('message', (answer: TokenAnswer) => {
    const waiting = pending.get(answer.id);
    pending.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer);
    else waiting?.reject(new TokenRefusal(answer.failure, answer.name));
  });
  const end = (): void => {
    ended = true;
    for (const { reject } of pending.values()) reject(new TokenRefusal('lost', 'the process of the module ended'));
    pending.clear();
  };
  child.once('exit', end);
  child.once('error', end);

  async function ask(question: Question<TokenRequest>, signal?: AbortSignal): Promise<Answered> {
    if (ended) throw new TokenRefusal('lost', 'the process of the module ended');
    asked += 1;
    const id = asked;
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    pending.set(id, { resolve, reject });
    const late = setTimeout(() => {
      // It cannot be interrupted from within: the module waits inside of a call.
      child.kill('SIGKILL');
      reject(new AppError('timeout', `the PKCS #11 module did not answer within ${timeoutMs / 1000} s`));
    }, timeoutMs);
    const aborted = (): void => reject(new AppError('canceled', 'signing was canceled', { cause: signal?.reason }));
    signal?.addEventListener('abort', aborted, { once: true });
    try {
      child.send({ ...question, id }, (error) => {
        // Whoever asks next gets a new process, also when the news of this one's end is still on its way.
        if (!error) return;
        child.kill('SIGKILL');
        end();
      });
      return await promise;
    } finally {
      clearTimeout(late);
      signal?.removeEventListener('abort', aborted);
      pending.delete(id);
    }
  }

  return { ask, alive: () => !ended, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
