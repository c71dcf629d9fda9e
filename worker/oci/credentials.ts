import type { Secret } from '#model/secret.ts';

/** What proves to a registry who we are. */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: Secret }
  /** A refresh token for the registry's token server. */
  | { readonly kind: 'identity-token'; readonly token: Secret }
  /** A token for the registry itself, sent as it is. */
  | { readonly kind: 'registry-token'; readonly token: Secret };

/** Credentials of registries, read anew where they can change. */
export interface CredentialSource {
  /**
   * @param registryAddress `host[:port]`; `https://index.docker.io/v1/` for Docker Hub.
   * @returns undefined: anonymous.
   */
  get(registryAddress: string, signal?: AbortSignal): Promise<Credential | undefined>;
  /** The registry refused what `get` gave: the next `get` must not answer from memory. */
  invalidate?(registryAddress: string): void;
}

export const ANONYMOUS: CredentialSource = { get: async () => undefined };

/** A configured credential; `read` is called for each login, so that a rotated secret counts without a restart. */
export function configuredCredential(read: () => Credential): CredentialSource {
  return { get: async () => read() };
}

export function sameCredential(one: Credential | undefined, other: Credential | undefined): boolean {
  return one === undefined || other === undefined ? one === other : secretText(one) === secretText(other);
}

/** `Basic …` (RFC 7617). */
export function basicHeader(credential: Extract<Credential, { kind: 'basic' }>): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password.reveal()}`).toString('base64')}`;
}

/** What of a credential must never be seen. */
export function secretText(credential: Credential): string {
  switch (credential.kind) {
    case 'basic':
      return basicHeader(credential);
    case 'identity-token':
    case 'registry-token':
      return credential.token.reveal();
  }
}
