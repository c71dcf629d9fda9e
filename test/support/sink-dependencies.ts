import { createHttpClient } from '#http/undici-client.ts';
import { AppError } from '#model/errors.ts';
import { Secret, type SecretResolver } from '#model/secret.ts';
import type { SinkDependencies, StreamClient } from '#sinks/dependencies.ts';

/** Secrets by their reference, as the configuration writes it. */
export function secretsFrom(values: Readonly<Record<string, string>>): SecretResolver {
  return (reference) => {
    const value = values[reference];
    if (value === undefined) throw new AppError('config-invalid', `no ${reference}`);
    return new Secret(value, reference);
  };
}

/** Dependencies with the real HTTP client; Redis only where it is given. */
export function sinkDependencies(given: {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly redis?: StreamClient;
  readonly now?: () => Date;
  readonly url?: string;
}): SinkDependencies {
  return {
    connect: ({ url }) => createHttpClient({ allowedHosts: [url.host], userAgent: 'attestry-test' }),
    redis: given.redis ?? { xadd: async () => Promise.reject(new Error('there is no Redis here')) },
    secrets: secretsFrom(given.secrets ?? {}),
    now: given.now ?? (() => new Date()),
    instance: { id: 'test', ...(given.url === undefined ? {} : { url: given.url }) },
  };
}
