import type { HttpClient } from '#http/client.ts';
import type { KeySettings } from '#model/key-settings.ts';

/** What a service of a cloud is asked with. */
export interface CloudContext {
  readonly settings: KeySettings;
  readFile(path: string): Promise<Buffer>;
  /** A client that reaches the host of this URL and no other; `caFile` is a PEM file. Closed by who gave it. */
  http(url: URL, caFile?: string): Promise<HttpClient>;
  now(): Date;
  /** Waits between tries. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}
