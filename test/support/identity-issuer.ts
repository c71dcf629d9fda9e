import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { type HttpServer, json, serveHttp } from './http-server.ts';

export interface TokenSpec {
  readonly subject?: string;
  readonly email?: string;
  readonly audience?: string;
  /** Members that replace those of an honest token. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface IdentityIssuer extends HttpServer {
  /** A signed identity token, good for ten minutes from `now`. */
  token(spec?: TokenSpec): string;
  /** The claims of a token that this issuer signed, or undefined. */
  claimsOf(token: string): Readonly<Record<string, unknown>> | undefined;
}

/**
 * An OpenID Connect issuer: discovery, and the client credentials grant for one client with a secret that needs
 * encoding.
 */
export async function startIdentityIssuer(options: { readonly now: () => Date }): Promise<IdentityIssuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  function token({ subject = 'worker', email, audience = 'sigstore', claims = {} }: TokenSpec = {}): string {
    const seconds = Math.floor(options.now().getTime() / 1000);
    const body = {
      iss: server.url,
      sub: subject,
      aud: audience,
      iat: seconds,
      exp: seconds + 600,
      ...(email === undefined ? {} : { email, email_verified: true }),
      ...claims,
    };
    const input = `${encode({ alg: 'ES256', typ: 'JWT' })}.${encode(body)}`;
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  }

  const server = await serveHttp(({ method, path, headers, body }) => {
    if (path === '/.well-known/openid-configuration') {
      return json(200, { issuer: server.url, token_endpoint: `${server.url}/token` });
    }
    if (method !== 'POST' || path !== '/token') return json(404, { error: 'not_found' });
    const form = new URLSearchParams(body.toString());
    const basic = Buffer.from(`${CLIENT.id}:${encodeURIComponent(CLIENT.secret)}`).toString('base64');
    if (headers.authorization !== `Basic ${basic}`) return json(401, { error: 'invalid_client' });
    if (form.get('grant_type') !== 'client_credentials') return json(400, { error: 'unsupported_grant_type' });
    const audience = form.get('audience') ?? 'none';
    const claims = { scope: form.get('scope'), resource: form.get('resource') };
    return json(200, { access_token: token({ subject: CLIENT.id, audience, claims }), token_type: 'Bearer' });
  });

  function claimsOf(text: string): Readonly<Record<string, unknown>> | undefined {
    const [header = '', body = '', signature = ''] = text.split('.');
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    const isSigned = verify('sha256', Buffer.from(`${header}.${body}`), key, Buffer.from(signature, 'base64url'));
    return isSigned ? JSON.parse(Buffer.from(body, 'base64url').toString()) : undefined;
  }

  return { ...server, token, claimsOf };
}

export const CLIENT = { id: 'attestry', secret: 's3cret/with:odd+signs' };

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
