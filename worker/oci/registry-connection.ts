import type { Readable } from 'node:stream';
import type { HttpClient, HttpRequest, HttpResponse } from '#http/client.ts';
import { AppError } from '#model/errors.ts';
import { type Authorizer, createAuthorizer } from '#oci/authorizer.ts';
import { bodyBytes, type CallEnd, endOfError, endOfResponse } from '#oci/call-end.ts';
import type { CapabilityMemo } from '#oci/capability-memo.ts';
import type { CredentialSource } from '#oci/credentials.ts';
import type { RegistryLimits } from '#oci/limits.ts';
import { reachFrom } from '#oci/reach.ts';
import { discard, registryError } from '#oci/registry-errors.ts';
import type { Access } from '#oci/scope.ts';

export interface ConnectionOptions {
  /** The registry's configured name. */
  readonly name: string;
  /** `http(s)://host[:port]/`. */
  readonly baseUrl: URL;
  readonly credentialKey: string;
  readonly client: HttpClient;
  readonly credentials: CredentialSource;
  readonly limits: RegistryLimits;
  /** Gets to know what the answers tell of the registry. */
  readonly memo: CapabilityMemo;
  readonly now: () => Date;
  readonly immutableTags?: boolean;
  /** Waited for before each call: keeps to a budget. Its time does not count against the call's own. */
  readonly turn?: (signal?: AbortSignal) => Promise<void>;
  /** Told how each call ended; redirects of it to a storage are not the registry's. */
  readonly told?: (end: CallEnd) => Promise<void>;
}

/** One call of the distribution API. */
export interface RegistryCall {
  readonly method: HttpRequest['method'];
  /** Below the base URL: `/v2/…`. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream: see `HttpRequest.body`. */
  readonly body?: Uint8Array | Readable;
  readonly access: Access;
  /** The step in words, for messages: `reading manifest latest of team/app`. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  /** The tag that the call writes, when it writes one. */
  readonly writesTag?: string;
  /** Milliseconds for the whole exchange, body included. */
  readonly timeoutMs?: number;
  /** Milliseconds until the answer begins, where the registry has long work before it. */
  readonly headersTimeoutMs?: number;
}

/** Authorized calls to one registry, redirects followed. */
export interface RegistryConnection {
  readonly name: string;
  readonly baseUrl: URL;
  readonly limits: RegistryLimits;
  readonly memo: CapabilityMemo;
  /** Its tags are known not to be writable again, before any was tried. */
  readonly immutableTags: boolean;
  send(call: RegistryCall): Promise<HttpResponse>;
  /** As `send`, and any other status than those accepted is thrown as what it means. */
  expect(call: RegistryCall, ...accepted: readonly number[]): Promise<HttpResponse>;
  /** What a response means as a failure; reads it. */
  failure(call: RegistryCall, response: HttpResponse): Promise<AppError>;
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

export function createRegistryConnection(options: ConnectionOptions): RegistryConnection {
  const { name, baseUrl, client, limits, memo, now, immutableTags = false } = options;
  const authorizer = createAuthorizer({ ...options, registry: name });

  async function send(call: RegistryCall): Promise<HttpResponse> {
    await options.turn?.(call.signal);
    const timeout = AbortSignal.timeout(call.timeoutMs ?? limits.callMs);
    const signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout;
    const { method, url, headers, body, access, headersTimeoutMs } = call;
    const request: HttpRequest = {
      method,
      url,
      signal,
      // A registry that compresses on the way would make Content-Length and range meaningless.
      headers: { 'accept-encoding': 'identity', ...headers },
      ...(body === undefined ? {} : { body }),
      ...(headersTimeoutMs === undefined ? {} : { headersTimeoutMs }),
    };
    const response = await authorizer.send(request, access).catch(async (error: unknown) => {
      const end = endOfError(error, bodyBytes(body, headers));
      if (end) await options.told?.(end);
      throw error;
    });
    await options.told?.(endOfResponse(response, bodyBytes(body, headers), now()));
    if (!REDIRECTS.includes(response.status)) return response;
    return await follow(request, response, call, authorizer);
  }

  async function follow(
    request: HttpRequest,
    first: HttpResponse,
    call: RegistryCall,
    { send: authorizedSend }: Authorizer,
  ): Promise<HttpResponse> {
    let response = first;
    let { url } = request;
    for (let hops = 0; REDIRECTS.includes(response.status); hops++) {
      await discard(response, limits.errorBytes);
      if (request.method !== 'GET' && request.method !== 'HEAD')
        throw refusedRedirect(call, 'a write is never redirected');
      if (hops === limits.redirects) throw refusedRedirect(call, `more than ${limits.redirects} in a row`);
      url = redirectTarget(response.headers.location, url, call);
      // Only the registry itself gets the credentials; a signed storage URL even refuses a second authorization.
      response =
        url.origin === baseUrl.origin
          ? await authorizedSend({ ...request, url }, call.access)
          : await client.request({ ...request, url, reach: reachFrom(baseUrl, url) });
    }
    return response;
  }

  /** The message names the host alone: the query of a storage URL is a key to the blob. */
  function redirectTarget(location: string | undefined, from: URL, call: RegistryCall): URL {
    const to = URL.parse(location ?? '', from.href);
    if (!to || !location) throw refusedRedirect(call, 'its Location cannot be read');
    if (to.username || to.password) throw refusedRedirect(call, `${to.host} with user information`);
    if (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:')) return to;
    throw refusedRedirect(call, `from https to ${to.protocol}//${to.host}`);
  }

  function refusedRedirect(call: RegistryCall, why: string): AppError {
    return new AppError('host-not-allowed', `${name}: ${call.what}: redirect refused: ${why}`);
  }

  async function expect(call: RegistryCall, ...accepted: readonly number[]): Promise<HttpResponse> {
    const response = await send(call);
    if (accepted.includes(response.status)) return response;
    throw await failure(call, response);
  }

  async function failure(call: RegistryCall, response: HttpResponse): Promise<AppError> {
    const { redact } = authorizer;
    const error = await registryError(response, {
      registry: name,
      what: call.what,
      ...(call.writesTag === undefined ? {} : { writesTag: call.writesTag }),
      maxBytes: limits.errorBytes,
      now: now(),
      redact,
    });
    const { repository } = call.access;
    if (error.code === 'tag-immutable') memo.learn(name, repository, 'immutable-tags', true);
    if (error.code === 'registry-quota') memo.learn(name, repository, 'quota-exceeded', true);
    if (call.method === 'DELETE' && response.status === 405) memo.learn(name, repository, 'deletes', false);
    return error;
  }

  return { name, baseUrl, limits, memo, immutableTags, send, expect, failure };
}

/** The URL of a repository's resource: `path` is what follows the repository. */
export function repositoryUrl(connection: Pick<RegistryConnection, 'baseUrl'>, repository: string, path: string): URL {
  return new URL(`/v2/${repository}/${path}`, connection.baseUrl);
}
