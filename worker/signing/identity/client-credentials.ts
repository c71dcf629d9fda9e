import type { HttpClient } from '#http/client.ts';
import { AppError } from '#model/errors.ts';
import { Secret, type SecretResolver } from '#model/secret.ts';
import type { IdentityProvider } from '#signing/identity/provider.ts';
import { askTokenServer, type TokenServer } from '#signing/identity/token-server.ts';

export interface ClientCredentialsOptions {
  /** Where tokens are asked for; absent: the issuer's discovery document says it. */
  readonly tokenUrl?: URL;
  readonly issuer: URL;
  readonly clientId: string;
  /** A secret reference. */
  readonly clientSecret: string;
  readonly audience: string;
  readonly scope?: string;
  /** Resource indicator (RFC 8707). */
  readonly resource?: string;
  readonly http: HttpClient;
  readonly secrets: SecretResolver;
  readonly timeoutMs: number;
  now(): Date;
}

/** The identity of a client of an OAuth 2 server (RFC 6749, 4.4). */
export function clientCredentialsProvider(options: ClientCredentialsOptions): IdentityProvider {
  const source = `the issuer ${options.issuer.host}`;
  const server: TokenServer = { ...options, name: source };
  return {
    source,
    async token(signal) {
      const url = options.tokenUrl ?? (await discover(server, options.issuer, signal));
      const secret = options.secrets(options.clientSecret).reveal().trim();
      const basic = Buffer.from(`${formEncoded(options.clientId)}:${formEncoded(secret)}`).toString('base64');
      const answer = await askTokenServer(server, {
        method: 'POST',
        url,
        headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
        body: requestBody(options),
        reach: options.tokenUrl === undefined ? reachOf(url, options.issuer) : 'listed',
        secrets: [secret, basic],
        signal,
      });
      // An identity token where the server gives one; most answer this grant with an access token in JWT form alone.
      const token = answer.id_token ?? answer.access_token;
      if (typeof token === 'string' && token !== '') return new Secret(token, source);
      throw new AppError('identity-token-unavailable', `${source} answered without a token`);
    },
  };
}

function requestBody({ audience, scope, resource }: ClientCredentialsOptions): string {
  const form = new URLSearchParams({ grant_type: 'client_credentials', audience });
  if (scope !== undefined) form.set('scope', scope);
  if (resource !== undefined) form.set('resource', resource);
  return form.toString();
}

/** RFC 6749, 2.3.1: both parts are form-encoded before they are joined. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

/** OpenID Connect Discovery 1.0, 4: the document must be of the issuer that was asked. */
async function discover(server: TokenServer, issuer: URL, signal: AbortSignal | undefined): Promise<URL> {
  const base = issuer.href.replace(/\/$/, '');
  const url = new URL(`${base}/.well-known/openid-configuration`);
  const { issuer: found, token_endpoint: endpoint } = await askTokenServer(server, { method: 'GET', url, signal });
  if (typeof found !== 'string' || found.replace(/\/$/, '') !== base) {
    throw new AppError('identity-token-unavailable', `${server.name}: its discovery document is of another issuer`, {
      mend: 'write the issuer exactly as its discovery document does, or give tokenUrl',
    });
  }
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) {
    throw new AppError('identity-token-unavailable', `${server.name}: its discovery document names no token endpoint`);
  }
  const named = new URL(endpoint);
  if (issuer.protocol === 'https:' && named.protocol !== 'https:') {
    throw new AppError('identity-token-unavailable', `${server.name}: its token endpoint is not https`);
  }
  return named;
}

/** An endpoint that the issuer named is reached on the issuer's word alone, unless it is the issuer's own host. */
function reachOf(url: URL, issuer: URL) {
  if (url.host === issuer.host) return 'listed';
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(issuer.hostname);
  return isLocal ? 'named-local' : 'named';
}
