import { type KeyObject, X509Certificate } from 'node:crypto';
import { type HttpServer, json, type ServedAnswer, type ServedRequest, serveHttp } from '../http-server.ts';
import type { TokenServer } from '../token-server.ts';
import { openJwt } from './registry-logins.ts';

export interface AcrSettings {
  /** The registry's name, as Azure knows it. */
  readonly service: string;
  /** Whose tokens of Microsoft Entra it takes. */
  readonly entra: KeyObject;
  readonly refreshToken: string;
  /** Gives access tokens for the refresh token. */
  readonly tokens: TokenServer;
  readonly repositories: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Items of a page, whatever is asked for. */
  readonly most: number;
}

/**
 * The lists of Azure Container Registry and the exchange in front of them: each list wants an access token that was
 * issued for its scope.
 */
export function startAcr(settings: AcrSettings): Promise<HttpServer> {
  const { repositories, most } = settings;
  return serveHttp((request): ServedAnswer => {
    const url = new URL(request.path, 'http://acr.test');
    if (url.pathname === '/oauth2/exchange') return exchange(settings, request);
    const [, name = ''] = /^\/acr\/v1\/(.+)\/_tags$/.exec(url.pathname) ?? [];
    if (url.pathname !== '/acr/v1/_catalog' && name === '') return json(404, { errors: [{ code: 'UNSUPPORTED' }] });
    const scope = name === '' ? 'registry:catalog:*' : `repository:${name}:metadata_read`;
    if (!isGranted(settings, request, scope)) {
      const { tokens } = settings;
      const challenge = `Bearer realm="${tokens.url.href}",service="${tokens.service}",scope="${scope}"`;
      return json(401, { errors: [{ code: 'UNAUTHORIZED' }] }, { 'www-authenticate': challenge });
    }
    const tags = repositories[name];
    if (name !== '' && tags === undefined) return json(404, { errors: [{ code: 'NAME_UNKNOWN' }] });
    const names = Object.keys(tags ?? repositories).sort();
    const from = names.findIndex((one) => one > (url.searchParams.get('last') ?? ''));
    const page = from < 0 ? [] : names.slice(from, from + Math.min(Number(url.searchParams.get('n')), most));
    const last = page.at(-1);
    const more = last !== undefined && last !== names.at(-1);
    const link = more ? { link: `<${url.pathname}?last=${last}&n=${most}&orderby=>; rel="next"` } : {};
    if (tags === undefined) return json(200, { repositories: page }, link);
    const items = page.map((tag) => ({ name: tag, digest: tags[tag], signed: false }));
    return json(200, { registry: settings.service, imageName: name, tags: items }, link);
  });
}

function exchange({ entra, service, refreshToken }: AcrSettings, { method, body }: ServedRequest): ServedAnswer {
  const form = new URLSearchParams(body.toString('utf8'));
  const claims = openJwt(form.get('access_token') ?? '', entra);
  const right =
    method === 'POST' &&
    claims?.aud === 'https://containerregistry.azure.net' &&
    form.get('grant_type') === 'access_token' &&
    form.get('service') === service;
  return right ? json(200, { refresh_token: refreshToken }) : json(401, { errors: [{ code: 'UNAUTHORIZED' }] });
}

function isGranted({ tokens }: AcrSettings, { headers }: ServedRequest, scope: string): boolean {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (token === undefined) return false;
  const claims = openJwt(token, new X509Certificate(tokens.certificate).publicKey) as
    | { readonly exp: number; readonly access: readonly { type: string; name: string; actions: readonly string[] }[] }
    | undefined;
  const isFresh = claims !== undefined && claims.exp * 1000 > Date.now();
  return isFresh && claims.access.some(({ type, name, actions }) => scope === `${type}:${name}:${actions.join(',')}`);
}
