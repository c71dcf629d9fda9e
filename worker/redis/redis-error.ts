import { AppError } from '#model/errors.ts';

/** Error replies of a server that is there and will not serve now: starting, full, failing over, without its disk. */
const NOT_NOW = /^(?:LOADING|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|MISCONF|BUSY|TRYAGAIN|UNBLOCKED)\b/;
const NOT_ALLOWED = /^(?:NOAUTH|WRONGPASS|NOPERM)\b|^ERR (?:AUTH|Client sent AUTH)|invalid (?:username-)?password/;
const NO_CONNECTION =
  /^Command timed out|^Connection is closed|^Stream isn't writeable|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|maxRetriesPerRequest|max retries|Socket timeout|Blocking command timed out|None of startup nodes/i;
const MAX_MESSAGE = 300;

/** Milliseconds that a caller should wait after Redis did not answer. */
const RETRY_AFTER_MS = 1000;

/**
 * What a failed Redis call means to us. The driver's error object is dropped on purpose: it carries the command with
 * its arguments, which may be a password or a payload.
 */
export function toRedisError(error: unknown, doing: string): AppError {
  if (error instanceof AppError) return error;
  const message = (error instanceof Error ? error.message : String(error)).slice(0, MAX_MESSAGE);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const name = error instanceof Error ? error.name : '';
  if (NOT_ALLOWED.test(message)) {
    return new AppError('redis-unsuitable', `${doing}: Redis refuses us: ${message}`, {
      field: 'redis',
      mend: 'check user name and password, and give the user access to the keys of the configured prefix',
    });
  }
  if (NOT_NOW.test(message) || NO_CONNECTION.test(message) || NO_CONNECTION.test(code) || name.startsWith('MaxRetr')) {
    return new AppError('redis-unavailable', `${doing}: ${message || code}`, { retryAfterMs: RETRY_AFTER_MS });
  }
  return new AppError('internal', `${doing}: ${message}`);
}

/** Awaits a Redis call. @throws AppError `redis-unavailable`, `redis-unsuitable` or `internal`. */
export async function redisCall<T>(doing: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toRedisError(error, doing);
  }
}
