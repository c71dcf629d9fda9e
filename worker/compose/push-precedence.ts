/** Who steps back while this worker is busy with pushes. */
export interface PushPrecedence {
  /** Counts a job of a push, until it is disposed of. */
  begin(): Disposable;
  /** Waits until no push runs here, or for as long as other work may be held up at a time. */
  stepBack(signal?: AbortSignal): Promise<void>;
}

/**
 * Milliseconds for which one call of other work is held up at most. Under pushes without end it still makes some calls a
 * second for each job: slow, and never starved.
 */
const LONGEST_MS = 250;

/**
 * Lanes have slots of their own, but one processor: without this, pushes would take turns with the calls of a backfill,
 * which has always more of them.
 */
export function createPushPrecedence(longestMs = LONGEST_MS): PushPrecedence {
  let pushes = 0;
  const waiting = new Set<() => void>();

  function end(): void {
    pushes -= 1;
    if (pushes > 0) return;
    for (const go of waiting) go();
    waiting.clear();
  }

  return {
    begin() {
      pushes += 1;
      return { [Symbol.dispose]: end };
    },
    async stepBack(signal) {
      if (pushes === 0 || signal?.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const stopped = () => resolve();
      waiting.add(resolve);
      const timer = setTimeout(resolve, longestMs);
      signal?.addEventListener('abort', stopped);
      try {
        await promise;
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stopped);
        waiting.delete(resolve);
      }
    },
  };
}
