import type { HttpClient, HttpRequest } from '#http/client.ts';
import { parseRetryAfter } from '#http/retry-after.ts';
import { AppError, type AppErrorOptions, type ErrorCode } from '#model/errors.ts';

/** A server that signing depends on: how it is reached, and what its failures are called. */
export interface Peer {
  /** In messages, e.g. `rekor (log.example.com)`. */
  readonly name: string;
  readonly http: HttpClient;
  readonly timeoutMs: number;
  readonly codes: PeerCodes;
  now(): Date;
}

export interface PeerCodes {
  readonly refused: ErrorCode;
  readonly unavailable: ErrorCode;
  readonly throttled: ErrorCode;
  /** It answered with what cannot be believed. */
  readonly protocol: ErrorCode;
}

export interface PeerRequest extends Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body' | 'reach'> {
  /** Statuses that are an answer. */
  readonly expect: readonly number[];
  readonly maxBytes: number;
  /** Texts that no message may quote, whatever the server echoes. */
  readonly secrets?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface PeerAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

/** Of an error's body, looked at for the reason. */
const MAX_REASON_BYTES = 16 * 1024;
const MAX_REASON = 300;

/**
 * Asks once, within the peer's time for the whole exchange. Trying again is the job's business, which knows how often
 * it was tried.
 * @throws AppError by the status: 429 throttled, 408 and 5xx unavailable, any other that is not expected refused;
 * `network`, `timeout`, `canceled`.
 */
export async function askPeer(peer: Peer, request: PeerRequest): Promise<PeerAnswer> {
  const limit = AbortSignal.timeout(peer.timeoutMs);
  const { method, url, expect, maxBytes, secrets = [] } = request;
  const response = await peer.http.request({
    method,
    url,
    ...(request.headers === undefined ? {} : { headers: request.headers }),
    ...(request.body === undefined ? {} : { body: request.body }),
    ...(request.reach === undefined ? {} : { reach: request.reach }),
    signal: request.signal === undefined ? limit : AbortSignal.any([request.signal, limit]),
    headersTimeoutMs: peer.timeoutMs,
    bodyTimeoutMs: peer.timeoutMs,
  });
  const { status, headers } = response;
  if (expect.includes(status)) {
    return { status, headers, bytes: Buffer.from(await readAnswer(peer, () => response.bytes(maxBytes))) };
  }
  const said = await response.bytes(MAX_REASON_BYTES).catch(() => new Uint8Array());
  const reason = withoutSecrets(reasonOf(Buffer.from(said)), secrets).slice(0, MAX_REASON);
  throw statusError(peer, status, headers, reason);
}

/** An error of the peer's own: the answer was there, and is not to be believed. */
export function unbelievable(
  peer: Pick<Peer, 'name' | 'codes'>,
  problem: string,
  options: AppErrorOptions = {},
): AppError {
  return new AppError(peer.codes.protocol, `${peer.name}: ${problem}`, options);
}

async function readAnswer(peer: Peer, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof AppError && error.code === 'too-large')
      throw unbelievable(peer, error.message, { cause: error });
    throw error;
  }
}

function statusError(
  { name, codes, now }: Peer,
  status: number,
  headers: Readonly<Record<string, string>>,
  reason: string,
): AppError {
  const message = `${name} answered ${status}${reason === '' ? '' : `: ${reason}`}`;
  if (status === 429) {
    const wait = parseRetryAfter(headers['retry-after'], now());
    return new AppError(codes.throttled, message, wait === undefined ? {} : { retryAfterMs: wait });
  }
  if (status === 408 || status >= 500) return new AppError(codes.unavailable, message);
  return new AppError(codes.refused, message);
}

/** The reason in an error's body: `message` of JSON where there is one, else the text, on one line. */
function reasonOf(body: Buffer): string {
  const text = body.toString('utf8');
  const json = parseJson(text);
  const message: unknown = typeof json === 'object' && json !== null ? Reflect.get(json, 'message') : undefined;
  return (typeof message === 'string' ? message : text).replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
}

/** A text as servers write it: plain, in JSON, in an address or a form. */
function writingsOf(text: string): readonly string[] {
  if (text === '') return [];
  const json = JSON.stringify(text).slice(1, -1);
  const form = new URLSearchParams({ '': text }).toString().slice(1);
  // The longest first: what is left of one writing must not keep another from being found.
  const writings = [text, json, json.replaceAll('/', String.raw`\/`), encodeURIComponent(text), form];
  return [...new Set(writings)].sort((a, b) => b.length - a.length);
}

/** A token has three parts, and part of it is as good as a hint; whatever looks like one goes too. */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  const bare = secrets.flatMap(writingsOf).reduce((left, writing) => left.replaceAll(writing, '…'), text);
  return bare.replace(/\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*/g, '…');
}

/** JSON of a peer, or undefined. What it holds is for a schema to say. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
