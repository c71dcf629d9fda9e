import type { Credential, CredentialSource } from '#oci/credentials.ts';
import { configuredCredential } from '#oci/credentials.ts';
import { secret } from './registry-target.ts';

interface Login {
  readonly username: string;
  readonly password: string;
}

export function user({ username, password }: Login): Extract<Credential, { kind: 'basic' }> {
  return { kind: 'basic', username, password: secret(password) };
}

/** A source that always gives this login. */
export function login(given: Login): CredentialSource {
  return configuredCredential(() => user(given));
}

/** A source that keeps to its credential until it is told to forget it, then has the next one. */
export function remembering(...credentials: readonly Credential[]): CredentialSource & { invalidated(): number } {
  let times = 0;
  return {
    get: async () => credentials[Math.min(times, credentials.length - 1)],
    invalidate: () => {
      times++;
    },
    invalidated: () => times,
  };
}
