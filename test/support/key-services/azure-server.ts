import { createPublicKey, type KeyObject } from 'node:crypto';
import { type HttpServer, json, type ServedAnswer, type ServedRequest, serveHttp } from '../http-server.ts';
import { signDigest } from '../prehashed.ts';
import { makeServerCertificate, type ServerCertificate } from '../server-certificate.ts';

export interface AzureVault extends HttpServer {
  /** PEM of the CA of its certificate. */
  readonly ca: string;
  /** Access tokens that it gave out, newest last; it takes the newest alone. */
  readonly tokens: readonly string[];
}

export interface AzureOptions {
  readonly keys: Readonly<Record<string, KeyObject>>;
  readonly tenant: string;
  readonly client: string;
  readonly secret: string;
  /** The federated token that it takes for the client. */
  readonly assertion?: string;
  readonly certificate?: ServerCertificate;
}

export const VERSION = '0123456789abcdef0123456789abcdef';

/** Azure Key Vault, its login server and the metadata service of a machine, at one address. */
export async function startAzure(options: AzureOptions): Promise<AzureVault> {
  const certificate = options.certificate ?? makeServerCertificate();
  const tokens: string[] = [];
  const give = (): ServedAnswer => {
    tokens.push(`azure-token-${tokens.length + 1}`);
    return json(200, { token_type: 'Bearer', expires_in: 3599, access_token: tokens.at(-1) });
  };
  const server = await serveHttp((request) => {
    const url = new URL(request.path, server.url);
    if (url.pathname === `/${options.tenant}/oauth2/v2.0/token`) return isClient(request, options) ? give() : refused();
    if (url.pathname === '/metadata/identity/oauth2/token') {
      const right =
        request.headers.metadata === 'true' && url.searchParams.get('resource') === 'https://vault.azure.net';
      return right ? give() : json(400, { error: 'invalid_request' });
    }
    if (request.headers.authorization !== `Bearer ${tokens.at(-1)}`) {
      return json(401, { error: { code: 'Unauthorized', message: 'AKV10022: Invalid audience.' } });
    }
    return answer(request, url, server.url, options);
  }, certificate);
  return { ...server, ca: certificate.ca, tokens };
}

function isClient({ body }: ServedRequest, { client, secret, assertion }: AzureOptions): boolean {
  const form = new URLSearchParams(body.toString('utf8'));
  if (form.get('client_id') !== client || form.get('scope') !== 'https://vault.azure.net/.default') return false;
  if (form.get('grant_type') !== 'client_credentials') return false;
  return form.has('client_secret') ? form.get('client_secret') === secret : form.get('client_assertion') === assertion;
}

function refused(): ServedAnswer {
  const error_description = 'AADSTS7000215: Invalid client secret provided.';
  return json(401, { error: 'invalid_client', error_description, error_codes: [7000215] });
}

function answer(request: ServedRequest, url: URL, base: string, { keys }: AzureOptions): ServedAnswer {
  const [, , name = '', version = VERSION, action] = url.pathname.split('/');
  const key = keys[name];
  if (url.searchParams.get('api-version') !== '7.4') return problem(400, 'BadParameter');
  if (key === undefined || version !== VERSION) return problem(404, 'KeyNotFound');
  const jwk = { ...createPublicKey(key).export({ format: 'jwk' }), key_ops: ['sign', 'verify'] };
  const kid = `${base}/keys/${name}/${VERSION}`;
  if (action === undefined) {
    return json(200, { key: { ...jwk, kty: `${jwk.kty}-HSM`, kid }, attributes: { enabled: true } });
  }
  const { alg, value } = JSON.parse(request.body.toString('utf8')) as { alg: string; value: string };
  const digest = Buffer.from(value, 'base64url');
  if (digest.length !== 32 || alg !== (jwk.kty === 'EC' ? 'ES256' : 'RS256')) return problem(400, 'BadParameter');
  return json(200, { kid, value: signDigest(key, digest).toString('base64url') });
}

export function problem(status: number, code: string, message = `told by the service: ${code}`): ServedAnswer {
  return json(status, { error: { code, message } });
}
