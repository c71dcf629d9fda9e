import type { CloudContext } from '#cloud/context.ts';
import { type AppError, toAppError } from '#model/errors.ts';

/** Tries of one call; what is worse than a moment's trouble is left to the queue, with its longer delays. */
const TRIES = 4;
const FIRST_WAIT_MS = 200;
/** A service that asks for more time than this gets it from the queue. */
const LONGEST_WAIT_MS = 5000;

/**
 * Tries again what may go better at once: throttling, a service that stumbles, a broken connection. Waits double, and
 * are as long as the service asks.
 * @throws the last error.
 */
export async function retrying<Result>(
  context: Pick<CloudContext, 'wait'>,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (thrown) {
      const error = toAppError(thrown);
      const wait = Math.max(FIRST_WAIT_MS * 2 ** (tried - 1), error.retryAfterMs ?? 0);
      if (tried === TRIES || !mayPass(error) || wait > LONGEST_WAIT_MS || signal?.aborted) throw thrown;
      await context.wait(wait, signal);
    }
  }
}

function mayPass(error: AppError): boolean {
  // A timeout has already cost as much time as all tries together may.
  return ['key-throttled', 'key-unavailable', 'network'].includes(error.code);
}
