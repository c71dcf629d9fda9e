import { Readable } from 'node:stream';
import type { HttpClient, HttpRequest, HttpResponse } from '#http/client.ts';
import { transportError } from '#http/transport-error.ts';
import { AppError } from '#model/errors.ts';
import { type Challenge, parseChallenges } from '#oci/challenge.ts';
import { basicHeader, type Credential, type CredentialSource, sameCredential, secretText } from '#oci/credentials.ts';
import type { RegistryLimits } from '#oci/limits.ts';
import { discard } from '#oci/registry-errors.ts';
import { type Access, formatScope, mergeScopes } from '#oci/scope.ts';
import { TokenCache } from '#oci/token-cache.ts';
import { requestToken } from '#oci/token-request.ts';

export interface AuthorizerOptions {
  /** The registry's name, for messages. */
  readonly registry: string;
  readonly baseUrl: URL;
  /** How credentials are asked for: `host[:port]` or Docker Hub's key. */
  readonly credentialKey: string;
  readonly client: HttpClient;
  readonly credentials: CredentialSource;
  readonly limits: RegistryLimits;
  readonly now: () => Date;
}

/** Sends requests to one registry with the authorization that it asks for. */
export interface Authorizer {
  /** Answers challenges; a response that is still 401 is one that no credential at hand opens. */
  send(request: HttpRequest, access: Access): Promise<HttpResponse>;
  /** Takes the credentials in use out of a text. */
  redact(text: string): string;
}

/** How the registry wants it, remembered so that later requests need no challenge. */
type Scheme =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: string; readonly service?: string; readonly scope?: string };

interface Grant {
  readonly header: string;
  readonly credential: Credential | undefined;
  /** Made for this request: if it is refused, the credential behind it is not good enough. */
  readonly fresh: boolean;
}

/** First the plain request, then the answer to the challenge, then renewed credentials. */
const MAX_ATTEMPTS = 3;
/** Secrets that are taken out of texts. */
const MAX_USED = 16;

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { client, credentials, credentialKey, limits, now } = options;
  const tokens = new TokenCache(limits.cachedTokens, now);
  let scheme: Scheme | undefined;
  let basic: Grant | undefined;
  /** Secrets of the credentials that were used last, for redaction alone: they may be renewed while answers come. */
  const used = new Set<string>();

  async function send(request: HttpRequest, access: Access): Promise<HttpResponse> {
    let grant = await standingGrant(access, request.signal);
    for (let attempt = 1; ; attempt++) {
      const response = await client.request(authorized(request, grant));
      // A stream has been sent; whoever has its bytes may begin anew.
      const spent = attempt === MAX_ATTEMPTS || request.body instanceof Readable;
      if (spent || !isRefusal(response, grant)) return response;
      const next = await nextGrant(response, access, grant, request.signal).catch((error: unknown) => {
        response.body.destroy();
        throw error;
      });
      if (next === undefined) return response;
      await discard(response, limits.errorBytes);
      grant = next;
    }
  }

  /** What can be sent without being asked: most requests are not the first. */
  async function standingGrant(access: Access, signal?: AbortSignal): Promise<Grant | undefined> {
    if (scheme === undefined) return undefined;
    if (scheme.kind === 'basic') return basic;
    const cached = cachedGrant(access);
    if (cached) return cached;
    // A scope that one challenge named is not the scope of another repository.
    const { scope: _, ...known } = scheme;
    return await bearerGrant(known, access, await credentials.get(credentialKey, signal), signal);
  }

  function cachedGrant(access: Access): Grant | undefined {
    const token = tokens.get(formatScope(access));
    return token === undefined ? undefined : { header: `Bearer ${token}`, credential: undefined, fresh: false };
  }

  async function nextGrant(
    response: HttpResponse,
    access: Access,
    failed: Grant | undefined,
    signal?: AbortSignal,
  ): Promise<Grant | undefined> {
    scheme = chooseScheme(parseChallenges(response.headers['www-authenticate'])) ?? scheme;
    if (scheme === undefined) return undefined;
    let credential = await credentials.get(credentialKey, signal);
    const exhausted = failed !== undefined && (scheme.kind === 'basic' || failed.fresh);
    if (exhausted && sameCredential(credential, failed.credential)) {
      credentials.invalidate?.(credentialKey);
      credential = await credentials.get(credentialKey, signal);
      if (sameCredential(credential, failed.credential)) return undefined;
    }
    if (credential) remember(credential);
    switch (scheme.kind) {
      case 'basic':
        if (credential?.kind !== 'basic') return undefined;
        basic = { header: basicHeader(credential), credential, fresh: true };
        return basic;
      case 'bearer':
        if (failed) tokens.forget(formatScope(access), failed.header.slice('Bearer '.length));
        // Another request may have got one while this one waited for its 401.
        return cachedGrant(access) ?? (await bearerGrant(scheme, access, credential, signal));
    }
  }

  async function bearerGrant(
    { realm, service, scope }: Extract<Scheme, { kind: 'bearer' }>,
    access: Access,
    given: Credential | undefined,
    signal?: AbortSignal,
  ): Promise<Grant> {
    let credential = given;
    for (let renewed = false; ; renewed = true) {
      if (credential?.kind === 'registry-token') {
        remember(credential);
        return { header: `Bearer ${credential.token.reveal()}`, credential, fresh: true };
      }
      const scopes = mergeScopes(access, scope);
      const wanted = { registry: options.registry, baseUrl: options.baseUrl, realm, service, scopes, credential };
      const flight = tokens.renew(formatScope(access), () => requestToken(client, wanted, limits, now));
      try {
        return { header: `Bearer ${await orAborted(flight, options.baseUrl, signal)}`, credential, fresh: true };
      } catch (error) {
        if (renewed || !(error instanceof AppError) || error.code !== 'registry-unauthorized') throw error;
        credentials.invalidate?.(credentialKey);
        const next = await credentials.get(credentialKey, signal);
        if (sameCredential(next, credential)) throw error;
        credential = next;
      }
    }
  }

  function remember(credential: Credential): void {
    for (const secret of secretsOf(credential)) {
      used.delete(secret);
      used.add(secret);
    }
    const [oldest] = used;
    if (used.size > MAX_USED && oldest !== undefined) used.delete(oldest);
  }

  function redact(text: string): string {
    return [...used, ...tokens.values()].reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text);
  }

  return { send, redact };
}

function authorized(request: HttpRequest, grant: Grant | undefined): HttpRequest {
  return grant === undefined ? request : { ...request, headers: { ...request.headers, authorization: grant.header } };
}

/** 401; and 403 to a password, which is how ECR says that it has expired. */
function isRefusal({ status }: HttpResponse, grant: Grant | undefined): boolean {
  return status === 401 || (status === 403 && grant?.credential?.kind === 'basic' && grant.header.startsWith('Basic '));
}

/** Bearer before Basic: its token is worth less to whoever steals it. */
function chooseScheme(challenges: readonly Challenge[]): Scheme | undefined {
  for (const { scheme, parameters } of challenges) {
    const realm = parameters.get('realm');
    if (scheme !== 'bearer' || realm === undefined) continue;
    const service = parameters.get('service');
    const scope = parameters.get('scope');
    return { kind: 'bearer', realm, ...(service ? { service } : {}), ...(scope ? { scope } : {}) };
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { kind: 'basic' } : undefined;
}

function secretsOf(credential: Credential): readonly string[] {
  const text = secretText(credential);
  const encoded = text.replace(/^Basic /, '');
  return credential.kind === 'basic' && credential.password.reveal() !== ''
    ? [encoded, credential.password.reveal()]
    : [encoded];
}

/** The flight is shared: who is aborted stops waiting, and the others get their token. */
async function orAborted<T>(flight: Promise<T>, baseUrl: URL, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await flight;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(transportError(signal.reason, baseUrl, signal));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([flight, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
