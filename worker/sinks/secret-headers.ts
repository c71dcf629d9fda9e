import type { SecretResolver } from '#model/secret.ts';

/** The values of configured headers; each is a secret reference. */
export function secretHeaders(
  headers: Readonly<Record<string, string>>,
  secrets: SecretResolver,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, reference]) => [name.toLowerCase(), secrets(reference).reveal()]),
  );
}
