import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ENDPOINTS, LOG_NAME, PORTS } from './endpoints.ts';

/** The client that may fetch tokens by its credentials. */
export const CLIENT = { id: 'worker', secret: 'secret-of-the-tests' } as const;

/** Kinds of identity, each an issuer of its own, since Fulcio knows one kind for each issuer. */
export type IssuerName = 'email' | 'kubernetes' | 'github';

export interface Claims {
  readonly sub?: string;
  readonly aud?: string;
  /** Seconds from now. */
  readonly lives?: number;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** An OIDC issuer: discovery, keys, a token endpoint for client credentials, and tokens for the asking by tests. */
export interface IdentityIssuer {
  url(name: IssuerName): string;
  token(name: IssuerName, claims?: Claims): string;
  stop(): Promise<void>;
}

export const WORKER_EMAIL = 'worker@attestry.test';

export async function startIdentityIssuer(): Promise<IdentityIssuer> {
  // cosign takes a token on its command line for a file name unless it is signed by RS256.
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url');
  const url = (name: string) => `${ENDPOINTS.issuer}/${name}`;
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  function token(name: string, { sub = 'worker', aud = 'sigstore', lives = 600, more = {} }: Claims = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const whose = name === 'email' ? { email: WORKER_EMAIL, email_verified: true } : {};
    const claims = { iss: url(name), aud, sub, iat: now, nbf: now - 5, exp: now + lives, ...whose, ...more };
    const input = `${part({ alg: 'RS256', kid, typ: 'JWT' })}.${part(claims)}`;
    return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, name = '', ...rest] = (request.url ?? '').split('/');
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    switch (rest.join('/')) {
      case '.well-known/openid-configuration':
        return send(200, {
          issuer: url(name),
          jwks_uri: `${url(name)}/keys`,
          authorization_endpoint: `${url(name)}/auth`,
          token_endpoint: `${url(name)}/token`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
        });
      case 'keys':
        return send(200, { keys: [{ ...jwk, kid, alg: 'RS256', use: 'sig' }] });
      case 'token': {
        if (!(await isClient(request))) return send(401, { error: 'invalid_client' });
        const access = token(name);
        return send(200, { access_token: access, id_token: access, token_type: 'Bearer', expires_in: 600 });
      }
      default:
        return send(404, { error: 'not_found' });
    }
  }

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(PORTS.issuer, LOG_NAME, resolve);
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, token, stop };
}

/** The client by either of the two ways of RFC 6749, 2.3.1. */
async function isClient(request: IncomingMessage): Promise<boolean> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
  if (form.get('grant_type') !== 'client_credentials') return false;
  const basic = Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64');
  const byForm = form.get('client_id') === CLIENT.id && form.get('client_secret') === CLIENT.secret;
  return byForm || request.headers.authorization === `Basic ${basic}`;
}
