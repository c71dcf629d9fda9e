import { createHmac } from 'node:crypto';
import type { Secret } from '#model/secret.ts';
import type { Credential, Secrets } from '#producer/intake/credential.ts';

/** What a request must carry to be believed; or why we cannot make that. */
export type Proof =
  | { readonly headers: Readonly<Record<string, string>>; readonly query: Readonly<Record<string, string>> }
  | { readonly cannot: string };

/** Proves a delivery as its sender does, with the newest of the secrets that hold. */
export function prove(credential: Credential, body: string): Proof {
  switch (credential.kind) {
    case 'none':
      return { headers: {}, query: {} };
    case 'bearer':
      return inHeader('authorization', `Bearer ${newest(credential.bearers[0]?.tokens)}`);
    case 'basic': {
      const pair = `${credential.username}:${newest(credential.passwords)}`;
      return inHeader('authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
    }
    case 'static-header':
      return inHeader(credential.header, newest(credential.values));
    case 'query-token':
      return { headers: {}, query: { [credential.parameter]: newest(credential.values) } };
    case 'hmac': {
      const { header, algorithm, prefix } = credential.rule;
      const digest = createHmac(algorithm, newest(credential.secrets)).update(body).digest('hex');
      return inHeader(header, `${prefix}${digest}`);
    }
    case 'pulled':
      return { cannot: 'the source is fetched from a queue, and takes no requests: send the sample there' };
    case 'sns-signature':
      return { cannot: 'Amazon SNS signs its messages with a key of its own' };
    case 'oidc':
      return { cannot: 'Google signs the tokens of Pub/Sub with a key of its own' };
  }
}

function inHeader(name: string, value: string): Proof {
  return { headers: { [name.toLowerCase()]: value }, query: {} };
}

function newest(secrets: Secrets | undefined): string {
  const all: readonly Secret[] = secrets?.() ?? [];
  return all.at(-1)?.reveal() ?? '';
}
