import type { HttpClient, HttpRequest } from '#http/client.ts';
import { parseRetryAfter } from '#http/retry-after.ts';

/** Bytes; keys, signatures and tokens are a few thousand. */
const MAX_ANSWER_BYTES = 256 * 1024;
const HEADERS_TIMEOUT_MS = 15_000;

export interface ServiceAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Undefined where the body is no JSON. */
  readonly json: unknown;
  readonly retryAfterMs?: number;
}

/** One exchange with a key service or what gives tokens for it, bounded in size and time. */
export async function askService(
  http: HttpClient,
  request: HttpRequest,
  now: Date,
  mostBytes = MAX_ANSWER_BYTES,
): Promise<ServiceAnswer> {
  const answer = await http.request({
    headersTimeoutMs: HEADERS_TIMEOUT_MS,
    bodyTimeoutMs: HEADERS_TIMEOUT_MS,
    ...request,
  });
  const text = Buffer.from(await answer.bytes(mostBytes)).toString('utf8');
  const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], now);
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    json: parseJson(text),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The body of a form. */
export function formBody(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}

export const FORM = 'application/x-www-form-urlencoded';
