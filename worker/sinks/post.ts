import type { HttpClient } from '#http/client.ts';
import { parseRetryAfter } from '#http/retry-after.ts';
import { AppError } from '#model/errors.ts';

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Values that must not be repeated in an error, though a receiver may echo them. */
  readonly secrets: readonly string[];
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 16 * 1024;
const MAX_QUOTE = 200;

/**
 * Posts to a receiver; returns when it took the content. Errors name the sink and never its address, which may itself
 * be a secret.
 * @throws AppError `sink-unavailable` (no answer, 408, 425, 429, 5xx; with `retryAfterMs` where told), `sink-rejected`
 * (any other answer).
 */
export async function post(
  sink: string,
  client: HttpClient,
  content: Post,
  signal: AbortSignal,
  now: Date,
): Promise<void> {
  const { status, headers, text } = await exchange(sink, client, content, signal);
  if (status >= 200 && status < 300) return;
  const message = `sink ${sink} answered ${status}${quote(text, unspoken(content))}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryAfterMs = parseRetryAfter(headers['retry-after'], now);
    throw new AppError('sink-unavailable', message, retryAfterMs === undefined ? {} : { retryAfterMs });
  }
  const redirect = status >= 300 && status < 400;
  throw new AppError('sink-rejected', message, {
    field: `sinks.${sink}`,
    mend: redirect ? 'configure the address that the redirect leads to' : 'check the address and the credential',
  });
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

async function exchange(sink: string, client: HttpClient, content: Post, signal: AbortSignal): Promise<Answer> {
  const { url, headers, body } = content;
  try {
    const response = await client.request({
      method: 'POST',
      url,
      headers,
      body,
      signal,
      headersTimeoutMs: TIMEOUT_MS,
      bodyTimeoutMs: TIMEOUT_MS,
    });
    const text = await answerText(() => response.bytes(MAX_ANSWER_BYTES));
    return { status: response.status, headers: response.headers, text };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof AppError)) throw error;
    const code = error.code === 'host-not-allowed' ? 'sink-rejected' : 'sink-unavailable';
    // No cause: the transport's own error names the address.
    throw new AppError(code, `sink ${sink} could not be reached: ${redact(error.message, unspoken(content))}`);
  }
}

/** The status decides; a body that is too long or breaks off does not change it. */
async function answerText(read: () => Promise<Uint8Array>): Promise<string> {
  try {
    return Buffer.from(await read()).toString('utf8');
  } catch {
    return '';
  }
}

function quote(text: string, secrets: readonly string[]): string {
  const plain = redact(text, secrets)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_QUOTE);
  return plain === '' ? '' : `: ${plain}`;
}

/** The address counts as a secret: where the path is a capability it is one. */
function unspoken({ url, secrets }: Post): string[] {
  return [...secrets, url.href, url.pathname + url.search, url.pathname];
}

function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => (secret.length > 1 ? shown.replaceAll(secret, '[redacted]') : shown), text);
}
