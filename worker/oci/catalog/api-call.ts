import type { HttpClient, HttpRequest } from '#http/client.ts';
import { parseRetryAfter } from '#http/retry-after.ts';
import { type CallEnd, endOfError, endOfResponse } from '#oci/call-end.ts';

/** The way to the API of a provider. */
export interface ApiDoor {
  /** The registry's configured name, for messages. */
  readonly name: string;
  /** Of the API, with a slash at its end. */
  readonly url: URL;
  /** Reaches the host of the URL. */
  readonly client: HttpClient;
  now(): Date;
  /** Waited for before each call: keeps to a budget. Its time does not count against the call's own. */
  readonly turn?: (signal?: AbortSignal) => Promise<void>;
  /** Told how each call ended. */
  readonly told?: (end: CallEnd) => Promise<void>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const ANSWER_BYTES = 8 * 1024 * 1024;
const CALL_MS = 30_000;

/**
 * One call, bounded in size and time, in its turn.
 * @throws AppError `network`, `timeout`, `too-large`; `registry-resting` where it is not to be made now.
 */
export async function callApi(
  { client, now, turn, told }: ApiDoor,
  request: Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'>,
  signal?: AbortSignal,
): Promise<ApiAnswer> {
  await turn?.(signal);
  const timeout = AbortSignal.timeout(CALL_MS);
  try {
    const response = await client.request({
      ...request,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const { status, headers } = response;
    const body = await response.bytes(ANSWER_BYTES);
    const retryAfterMs = askedToWait(status, headers, now());
    const end = endOfResponse(response, 0, now());
    // What other workers are to keep to as well is told here, whatever is made of the answer.
    await told?.(retryAfterMs === undefined ? end : { ...end, outcome: 'throttled', retryAfterMs });
    return { status, headers, body };
  } catch (error) {
    const end = endOfError(error, 0);
    if (end) await told?.(end);
    throw error;
  }
}

/** Milliseconds for which an answer asks to be left alone; of 403 only where it tells them. */
export function askedToWait(status: number, headers: Readonly<Record<string, string>>, now: Date): number | undefined {
  if (status !== 429 && status !== 403) return undefined;
  const told = parseRetryAfter(headers['retry-after'], now);
  if (told !== undefined) return told;
  // GitHub answers 403 and the second at which it takes calls again.
  const reset = headers['x-ratelimit-remaining'] === '0' ? Number(headers['x-ratelimit-reset']) * 1000 : Number.NaN;
  return Number.isFinite(reset) ? Math.max(reset - now.getTime(), 0) : undefined;
}
