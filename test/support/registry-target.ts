import { createHttpClient, type HttpClientOptions } from '#http/undici-client.ts';
import { Secret } from '#model/secret.ts';
import { ANONYMOUS, type CredentialSource } from '#oci/credentials.ts';
import type { RegistryLimits } from '#oci/limits.ts';
import { createRegistryTarget } from '#oci/registry-target.ts';
import type { Target } from '#oci/target.ts';

export interface ConnectOptions {
  readonly credentials?: CredentialSource;
  readonly limits?: Partial<RegistryLimits>;
  readonly http?: Partial<HttpClientOptions>;
  readonly now?: () => Date;
}

/** A target for the registry at `url`, closed with its scope. */
export function connect(url: URL, options: ConnectOptions = {}): Target & AsyncDisposable {
  const client = createHttpClient({ allowedHosts: [url.host], userAgent: 'attestry-test', ...options.http });
  const target = createRegistryTarget({
    name: 'registry.test',
    baseUrl: url,
    client,
    credentials: options.credentials ?? ANONYMOUS,
    now: options.now ?? (() => new Date()),
    ...(options.limits ? { limits: options.limits } : {}),
  });
  return { ...target, [Symbol.asyncDispose]: () => client.close() };
}

export function secret(value: string): Secret {
  return new Secret(value, 'test');
}
