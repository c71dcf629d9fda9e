import { isLoopbackHost } from '#http/addresses.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '#http/client.ts';
import { parseRetryAfter } from '#http/retry-after.ts';
import { AppError, type AppErrorOptions, type ErrorCode } from '#model/errors.ts';
import { TOOL_NAME } from '#model/tool.ts';
import { basicHeader, type Credential } from '#oci/credentials.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';
import type { RegistryLimits } from '#oci/limits.ts';
import { reachFrom } from '#oci/reach.ts';
import { discard } from '#oci/registry-errors.ts';
import type { CachedToken } from '#oci/token-cache.ts';

export interface TokenRequest {
  /** The registry's name, for messages. */
  readonly registry: string;
  readonly baseUrl: URL;
  readonly realm: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: Exclude<Credential, { kind: 'registry-token' }> | undefined;
}

// Distribution token specification: what an answer without expires_in means.
const DEFAULT_LIFETIME_S = 60;
const MAX_LIFETIME_S = 24 * 60 * 60;
// A token that ends while its request is under way costs a round trip more.
const MARGIN_S = 15;

// RFC 6750 2.1; anything else could end the header line.
const BEARER = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Asks the token server that a registry names (Distribution token specification; with an identity token its OAuth 2
 * form). Its errors tell status and host alone: such a server may echo what it was sent.
 * @throws AppError `registry-unauthorized`, `registry-throttled`, `registry-unavailable`, `registry-protocol`.
 */
export async function requestToken(
  client: HttpClient,
  wanted: TokenRequest,
  limits: RegistryLimits,
  now: () => Date,
): Promise<CachedToken> {
  const realm = checkRealm(wanted);
  const askedAt = now().getTime();
  const response = await client.request({
    ...tokenCall(realm, wanted),
    reach: reachFrom(wanted.baseUrl, realm),
    // Of its own, not of the caller's: others may be waiting for the same token.
    signal: AbortSignal.timeout(limits.tokenMs),
  });
  if (response.status !== 200) {
    await discard(response, limits.errorBytes);
    throw refusal(wanted, realm, response, now());
  }
  return readToken(await response.bytes(limits.tokenBytes), wanted, askedAt);
}

function tokenCall(realm: URL, { credential, service, scopes }: TokenRequest): HttpRequest {
  if (credential?.kind === 'identity-token') {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: TOOL_NAME });
    if (service !== undefined) form.set('service', service);
    form.set('scope', scopes.join(' '));
    form.set('refresh_token', credential.token.reveal());
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    return { method: 'POST', url: realm, headers, body: form.toString() };
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  url.searchParams.set('client_id', TOOL_NAME);
  if (credential === undefined) return { method: 'GET', url, headers: { accept: 'application/json' } };
  url.searchParams.set('account', credential.username);
  return { method: 'GET', url, headers: { accept: 'application/json', authorization: basicHeader(credential) } };
}

/** The realm gets credentials, so that it must be no weaker protected than the registry itself. */
function checkRealm({ registry, baseUrl, realm }: TokenRequest): URL {
  const url = URL.parse(realm);
  if (!url || url.username || url.password) {
    throw new AppError('registry-protocol', `${registry}: the realm of its token challenge is not a plain URL`);
  }
  if (url.protocol === 'https:') return url;
  const allowed = baseUrl.protocol === 'http:' || (isLoopbackHost(baseUrl.hostname) && isLoopbackHost(url.hostname));
  if (url.protocol === 'http:' && allowed) return url;
  throw new AppError('registry-protocol', `${registry}: its token server ${url.host} is not reached by https`, {
    mend: 'have the registry name an https realm; credentials are not sent in the clear',
  });
}

function refusal(wanted: TokenRequest, realm: URL, response: HttpResponse, now: Date): AppError {
  const { status } = response;
  const who = wanted.credential === undefined ? 'without credentials' : 'with the given credentials';
  const retryAfterMs = parseRetryAfter(response.headers['retry-after'], now);
  const code = classify(status);
  const options: AppErrorOptions = {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(code === 'registry-unauthorized' ? { mend: 'give credentials for this registry, or renew them' } : {}),
  };
  return new AppError(code, `${wanted.registry}: token server ${realm.host} answered ${status} ${who}`, options);
}

function classify(status: number): ErrorCode {
  // OAuth 2 servers answer 400 to a refresh token that is no longer good (RFC 6749 5.2).
  if (status === 400 || status === 401 || status === 403) return 'registry-unauthorized';
  if (status === 429) return 'registry-throttled';
  if (status === 408 || status >= 500) return 'registry-unavailable';
  return 'registry-protocol';
}

function readToken(bytes: Uint8Array, { registry }: TokenRequest, askedAt: number): CachedToken {
  const answer = readAnswer(bytes, registry);
  const value = answer.token ?? answer.access_token;
  if (typeof value !== 'string' || !BEARER.test(value)) {
    throw new AppError('registry-protocol', `${registry}: the answer of its token server holds no token`);
  }
  const told = answer.expires_in;
  const lifetime = typeof told === 'number' && told > 0 ? Math.min(told, MAX_LIFETIME_S) : DEFAULT_LIFETIME_S;
  const margin = Math.min(MARGIN_S, lifetime / 4);
  return { value, expiresAt: askedAt + (lifetime - margin) * 1000 };
}

function readAnswer(bytes: Uint8Array, registry: string): Readonly<Record<string, unknown>> {
  try {
    return asObject(parseBoundedJson(bytes)) ?? {};
  } catch {
    throw new AppError('registry-protocol', `${registry}: the answer of its token server is not JSON`);
  }
}
