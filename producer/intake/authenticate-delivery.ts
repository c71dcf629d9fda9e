import { authenticate, matches } from '#producer/intake/authenticate.ts';
import { hasHmac } from '#producer/intake/authenticate-hmac.ts';
import { createOidcCheck } from '#producer/intake/authenticate-oidc.ts';
import { createSnsCheck } from '#producer/intake/authenticate-sns.ts';
import type { Authentication, Credential } from '#producer/intake/credential.ts';
import type { Outbound } from '#producer/intake/ports.ts';
import type { Delivery, SenderSettings, WebhookAdapter } from '#producer/webhooks/adapter.ts';

/** A request whose body may have been too large to keep. */
export type Presented = Omit<Delivery, 'body'> & { readonly body: Uint8Array | 'too-large' };

/** What decides whether a delivery is believed: who sends it, what it must show, and whose it must be. */
export interface Door {
  readonly adapter: WebhookAdapter;
  readonly credential: Credential;
  readonly settings?: SenderSettings;
}

export interface Authenticator {
  /** @throws AppError when a secret, a certificate or a key cannot be read: not checked is not passed. */
  authenticate(door: Door, presented: Presented): Promise<Authentication>;
}

const REFUSED: Authentication = { ok: false };

/** The one place where deliveries are authenticated, by whatever scheme their source declares. */
export function createAuthenticator(outbound: Outbound, now: () => Date): Authenticator {
  const sns = createSnsCheck(outbound);
  const oidc = createOidcCheck(outbound);

  async function shown(credential: Credential, presented: Presented): Promise<Authentication> {
    const { headers, query, body } = presented;
    switch (credential.kind) {
      case 'pulled':
        return REFUSED;
      case 'none':
      case 'bearer':
      case 'basic':
      case 'static-header':
        return authenticate(credential, headers);
      case 'query-token':
        return { ok: matches(query[credential.parameter], credential.values()) };
      case 'oidc':
        return { ok: await oidc.isOurs(credential, headers.authorization, now()) };
      // A signature over bytes that were thrown away cannot be checked.
      case 'hmac':
        return body === 'too-large' ? REFUSED : { ok: hasHmac(credential, { ...presented, body }) };
      case 'sns-signature':
        return body === 'too-large' ? REFUSED : { ok: await sns.isGenuine(credential, body, now()) };
    }
  }

  return {
    async authenticate({ adapter, credential, settings = {} }, presented) {
      const found = await shown(credential, presented);
      const { body } = presented;
      if (!found.ok || body === 'too-large' || adapter.isOurs === undefined) return found;
      return adapter.isOurs({ ...presented, body }, settings) ? found : REFUSED;
    },
  };
}
