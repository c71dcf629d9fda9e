import { Readable } from 'node:stream';
import { BaseFetcher } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import type { HttpClient } from '#http/client.ts';
import { AppError } from '#model/errors.ts';

/** Fetches for TUF's client through ours: its hosts, its proxy, its limits. Lengths are bounded by TUF's client. */
export class TufFetcher extends BaseFetcher {
  readonly #http: HttpClient | undefined;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;

  /** Without a client nothing is fetched: what is kept must do. */
  constructor(http: HttpClient | undefined, timeoutMs: number, signal?: AbortSignal) {
    super();
    this.#http = http;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
  }

  override async fetch(url: string): Promise<ReadableStream> {
    if (!this.#http) throw new AppError('trust-unavailable', 'nothing is fetched now');
    const limit = AbortSignal.timeout(this.#timeoutMs);
    const response = await this.#http.request({
      method: 'GET',
      url: new URL(url),
      headersTimeoutMs: this.#timeoutMs,
      bodyTimeoutMs: this.#timeoutMs,
      signal: this.#signal ? AbortSignal.any([this.#signal, limit]) : limit,
    });
    if (response.status === 200) return Readable.toWeb(response.body) as ReadableStream;
    response.body.destroy();
    // TUF's client tells by the status that there is no newer root.
    throw new DownloadHTTPError(`it answered ${response.status}`, response.status);
  }
}
