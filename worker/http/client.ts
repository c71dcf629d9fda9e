import type { Readable } from 'node:stream';

/**
 * On whose word a host is reached. `listed`: it must be on the client's allow list. `named`: the other side named it, in
 * a redirect or a token realm; any host will do whose address is neither loopback, link-local nor a cloud's metadata
 * service. `named-local`: as `named`, and loopback too, for a server that is itself on loopback.
 */
export type Reach = 'listed' | 'named' | 'named-local';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent once: a request with one is never repeated. Its length must be in `content-length`. */
  readonly body?: Uint8Array | string | Readable;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the response headers must be there. */
  readonly headersTimeoutMs?: number;
  /** Milliseconds of silence after which a body is given up. */
  readonly bodyTimeoutMs?: number;
  /** Default `listed`. */
  readonly reach?: Reach;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Must be read to its end or destroyed. */
  readonly body: Readable;
  /** Reads the body into memory. @throws AppError `too-large` beyond `maxBytes`. */
  bytes(maxBytes: number): Promise<Uint8Array>;
}

/**
 * The one way out of the process over HTTP. It never follows redirects by itself, refuses hosts that it was not made
 * for, and turns connection failures into `AppError` `network` or `timeout`.
 */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}
