import { type AppError, toAppError } from '#model/errors.ts';
import type { Answer } from '#producer/intake/answer.ts';
import type { ReceivedRequest } from '#producer/intake/intake.ts';
import type { Source } from '#producer/intake/source.ts';

/** What fetching tells whoever composes the process. */
export type PullNews =
  | { readonly kind: 'up'; readonly source: string }
  | { readonly kind: 'down'; readonly source: string; readonly error: AppError }
  /** A message that could never be read was put aside: nobody brings it again. */
  | { readonly kind: 'given-up'; readonly source: string; readonly message: string };

export interface PullPorts {
  /** When it resolves, what is to be done is in Redis; it throws when the message must come again. */
  readonly take: (source: Source, request: ReceivedRequest) => Promise<Answer>;
  /** Throws while nothing could be taken: what a queue hands out then only loses one of its tries. */
  readonly ready: () => Promise<void>;
  /** Keeps what was refused for people to look at. */
  readonly keep?: (source: Source, request: ReceivedRequest & { readonly id: string }, answer: Answer) => void;
  readonly tell: (news: PullNews) => void;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly traceparent: () => string;
  /** From 0 to 1, anew at each call. */
  readonly random: () => number;
}

/** One source that is fetched. */
export interface Fetcher {
  readonly source: Source;
  /** Fetches and hands in until the signal ends it; calls `up` whenever what was read was taken. Throws when it cannot be read. */
  run(signal: AbortSignal, up: () => void): Promise<void>;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

/** Fetches until it is disposed of, whatever fails between: waits double up to a minute, each a little differently. */
export function startPuller(fetcher: Fetcher, { tell, wait, random }: PullPorts): AsyncDisposable {
  const controller = new AbortController();
  const { signal } = controller;
  const source = fetcher.source.id;
  let failures = 0;
  let state: 'unknown' | 'up' | 'down' = 'unknown';

  function up(): void {
    failures = 0;
    if (state === 'up') return;
    state = 'up';
    tell({ kind: 'up', source });
  }

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      try {
        await fetcher.run(signal, up);
      } catch (thrown) {
        if (signal.aborted) return;
        const error = toAppError(thrown);
        state = 'down';
        tell({ kind: 'down', source, error });
        const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures++, 10));
        const pause = Math.max(error.retryAfterMs ?? 0, longest * (0.5 + random() / 2));
        await wait(pause, signal).catch(() => {});
      }
    }
  }

  const running = loop();
  return {
    async [Symbol.asyncDispose]() {
      controller.abort();
      await running;
    },
  };
}

/** A message as the intake takes it. */
export function asRequest(body: Uint8Array | 'too-large', traceparent: string): ReceivedRequest {
  return { method: 'POST', headers: {}, query: {}, body, traceparent };
}

/** Whether the message may leave its queue: what is to be done for it is in Redis, or there is nothing to do. */
export function isSettled({ status }: Answer): boolean {
  return status < 400;
}
