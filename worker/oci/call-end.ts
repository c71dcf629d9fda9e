import type { HttpResponse } from '#http/client.ts';
import { parseRetryAfter } from '#http/retry-after.ts';
import { toAppError } from '#model/errors.ts';

/** How one call to a registry ended, for whoever keeps to its limits. */
export interface CallEnd {
  /** `failed`: no answer, or one of 5xx; `throttled`: 429; `canceled`: given up by ourselves. */
  readonly outcome: 'answered' | 'throttled' | 'failed' | 'canceled';
  /** Milliseconds for which it asked to be left alone. */
  readonly retryAfterMs?: number;
  /** Bytes of what was sent with it. */
  readonly sentBytes: number;
}

export function endOfResponse(response: HttpResponse, sentBytes: number, now: Date): CallEnd {
  const { status, headers } = response;
  const retryAfterMs = status === 429 || status === 503 ? parseRetryAfter(headers['retry-after'], now) : undefined;
  // 501 is an answer: it does not know the operation.
  const outcome = status === 429 ? 'throttled' : status >= 500 && status !== 501 ? 'failed' : 'answered';
  return { outcome, sentBytes, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

export function endOfError(error: unknown, sentBytes: number): CallEnd | undefined {
  switch (toAppError(error).code) {
    case 'network':
    case 'timeout':
      return { outcome: 'failed', sentBytes };
    case 'canceled':
      return { outcome: 'canceled', sentBytes };
    default:
      // Credentials that cannot be had, hosts that are refused: nothing was learnt of the registry.
      return undefined;
  }
}

/** Bytes of a body; of a stream what its header says. */
export function bodyBytes(body: unknown, headers: Readonly<Record<string, string>> | undefined): number {
  if (body instanceof Uint8Array) return body.byteLength;
  return body === undefined ? 0 : Number(headers?.['content-length'] ?? 0);
}
