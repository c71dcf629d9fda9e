import type { HttpClient } from '#http/client.ts';
import type { KeySettings } from '#model/key-settings.ts';
import type { Secret } from '#model/secret.ts';

/** What a key service or token is opened with. */
export interface KeyServiceContext {
  readonly settings: KeySettings;
  /** PIN of a token. */
  readonly pin?: Secret;
  readFile(path: string): Promise<Buffer>;
  /** A client that reaches the host of this URL and no other; `caFile` is a PEM file. Closed with the keys. */
  http(url: URL, caFile?: string): Promise<HttpClient>;
  now(): Date;
  /** Waits between tries. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}
