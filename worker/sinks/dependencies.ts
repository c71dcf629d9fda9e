import type { HttpClient } from '#http/client.ts';
import type { SecretResolver } from '#model/secret.ts';

/** One receiver over HTTP: what its client must be made for. */
export interface Destination {
  readonly url: URL;
  /** Path of a PEM file. */
  readonly ca?: string;
  readonly proxy?: string;
}

/** The one command of Redis that a sink needs; a client of ioredis fits as it is. */
export interface StreamClient {
  xadd(key: string, ...args: (string | number)[]): Promise<unknown>;
}

/** What sinks are made with. */
export interface SinkDependencies {
  /** A client for this destination alone; the sink closes it. */
  connect(destination: Destination): HttpClient;
  readonly redis: StreamClient;
  readonly secrets: SecretResolver;
  readonly now: () => Date;
  readonly instance: { readonly id: string; readonly url?: string };
}
