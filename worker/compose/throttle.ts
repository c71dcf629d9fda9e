import { AppError } from '#model/errors.ts';
import type { HostPause } from '#redis/host-pause.ts';

/** When a registry says 429 without a time. */
const DEFAULT_PAUSE_MS = 5000;

/**
 * Runs work against a registry, unless it told any worker to stay away. What it says now holds for all of them.
 * @throws AppError `registry-throttled` with the time to wait, and what the work throws.
 */
export async function respectingPause<Result>(
  registry: string,
  pause: HostPause,
  now: () => Date,
  work: () => Promise<Result>,
): Promise<Result> {
  const until = await pause.pausedUntil(registry);
  if (until && until > now()) {
    throw new AppError('registry-throttled', `${registry} asked to be left alone until ${until.toISOString()}`, {
      retryAfterMs: until.getTime() - now().getTime(),
    });
  }
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'registry-throttled') {
      await pause.pauseUntil(registry, new Date(now().getTime() + (error.retryAfterMs ?? DEFAULT_PAUSE_MS)));
    }
    throw error;
  }
}
