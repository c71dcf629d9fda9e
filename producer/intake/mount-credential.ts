import { AppError } from '#model/errors.ts';
import type { SecretResolver } from '#model/secret.ts';
import type { Credential, Secrets } from '#producer/intake/credential.ts';
import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
import type { SourceAuth } from '#producer/webhooks/options.ts';

/** Issuers of Google's tokens: both spellings are in use. */
const GOOGLE_ISSUERS = ['https://accounts.google.com', 'accounts.google.com'];

/** Google's public keys. */
export const GOOGLE_KEYS = new URL('https://www.googleapis.com/oauth2/v3/certs');

/**
 * What deliveries must show, with its secrets read once, so that a missing one stops the start.
 * @throws AppError `config-invalid` naming the key.
 */
export function credentialOf(
  auth: SourceAuth,
  key: string,
  adapter: WebhookAdapter,
  resolve: SecretResolver,
): Credential {
  if (!adapter.auth.includes(auth.kind)) {
    const mend = `use one of ${adapter.auth.join(', ')}`;
    throw invalid(key, `a ${adapter.id} source cannot be authenticated by ${auth.kind}`, mend);
  }
  switch (auth.kind) {
    case 'none':
    case 'pulled':
      return { kind: auth.kind };
    case 'bearer':
      return { kind: 'bearer', bearers: [{ tokens: secretsOf(auth.secrets, key, resolve) }] };
    case 'basic':
      return { kind: 'basic', username: auth.username, passwords: secretsOf(auth.passwords, key, resolve) };
    case 'static-header':
      return { kind: 'static-header', header: auth.header, values: secretsOf(auth.secrets, key, resolve) };
    case 'query-token':
      return { kind: 'query-token', parameter: auth.parameter, values: secretsOf(auth.secrets, key, resolve) };
    case 'hmac': {
      const { signature } = adapter;
      if (signature === undefined) throw invalid(key, `a ${adapter.id} source signs nothing`, 'use another `auth`');
      return { kind: 'hmac', rule: signature, secrets: secretsOf(auth.secrets, key, resolve) };
    }
    case 'sns-signature':
      return { kind: 'sns-signature', topicArns: auth.topicArns };
    case 'oidc':
      return { ...auth, issuers: GOOGLE_ISSUERS, jwks: GOOGLE_KEYS };
  }
}

/**
 * The secrets behind references, read anew at each call.
 * @throws AppError `config-invalid` now, when there is none, or one is missing or empty.
 */
export function secretsOf(references: readonly string[], key: string, resolve: SecretResolver): Secrets {
  const read: Secrets = () => references.map((reference) => resolve(reference));
  if (references.length === 0) throw invalid(key, 'no secret is named', 'name one, or write `auth: none`');
  const empty = read().find((secret) => secret.reveal() === '');
  if (empty) throw invalid(key, `the secret ${empty.reference} is empty`, 'give it a long random value');
  return read;
}

function invalid(field: string, message: string, mend: string): AppError {
  return new AppError('config-invalid', `${field}: ${message}`, { field, mend });
}
