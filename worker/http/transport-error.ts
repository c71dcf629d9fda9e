import { AppError, type AppErrorOptions } from '#model/errors.ts';

const TIMEOUTS: readonly string[] = [
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
];

const UNTRUSTED: readonly string[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

const MENDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(UNTRUSTED.map((code) => [code, 'give the CA file that issued the server certificate (`ca`)'])),
  ERR_TLS_CERT_ALTNAME_INVALID: 'use a host name that the server certificate holds',
  CERT_HAS_EXPIRED: 'have the server certificate renewed',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server seems to speak plain http: set `plainHttp: true` for it',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server seems to speak plain http: set `plainHttp: true` for it',
  ENOTFOUND: 'check the host name and the DNS of this machine',
};

/**
 * What a failed exchange was, as an `AppError` `network`, `timeout` or `canceled`. The message names the host alone:
 * paths, queries and user information of a URL may hold secrets.
 */
export function transportError(error: unknown, url: URL, signal: AbortSignal | undefined): AppError {
  if (error instanceof AppError) return error;
  if (signal?.aborted) return abortError(signal.reason, url);
  const code = errorCode(error);
  const options: AppErrorOptions = { cause: error, ...(MENDS[code] === undefined ? {} : { mend: MENDS[code] }) };
  if (TIMEOUTS.includes(code)) return new AppError('timeout', `${url.host}: no answer in time (${code})`, options);
  return new AppError('network', `${url.host}: the connection failed (${code})`, options);
}

/** Whether an idempotent request may be sent again: a kept-alive connection was closed by the other side meanwhile. */
export function isStaleConnection(error: unknown): boolean {
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(errorCode(error));
}

function abortError(reason: unknown, url: URL): AppError {
  if (reason instanceof AppError) return reason;
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError';
  return timedOut
    ? new AppError('timeout', `${url.host}: not finished in time`, { cause: reason })
    : new AppError('canceled', `${url.host}: the request was canceled`, { cause: reason });
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code === 'string') return code;
  // Happy Eyeballs: one error for each address that was tried.
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  return error.name;
}
