import type { Secret } from '#model/secret.ts';
import type { Credential } from '#producer/intake/credential.ts';

/** The secrets that a source's deliveries may hold, to be taken out of what is kept; none when they cannot be read. */
export function secretValues(credential: Credential): readonly string[] {
  try {
    return secretsIn(credential).map((secret) => secret.reveal());
  } catch {
    // What is missing now cannot have been sent as a right one; names of headers and members count in any case.
    return [];
  }
}

function secretsIn(credential: Credential): readonly Secret[] {
  switch (credential.kind) {
    case 'bearer':
      return credential.bearers.flatMap(({ tokens }) => tokens());
    case 'basic':
      return credential.passwords();
    case 'static-header':
    case 'query-token':
      return credential.values();
    case 'hmac':
      return credential.secrets();
    case 'none':
    case 'pulled':
    case 'sns-signature':
    case 'oidc':
      return [];
  }
}

/** The headers that a source's credential is shown in, besides those of HTTP itself. */
export function proofHeaders(credential: Credential): readonly string[] {
  switch (credential.kind) {
    case 'static-header':
      return [credential.header];
    case 'hmac':
      return [credential.rule.header];
    case 'bearer':
    case 'basic':
    case 'query-token':
    case 'none':
    case 'pulled':
    case 'sns-signature':
    case 'oidc':
      return [];
  }
}
