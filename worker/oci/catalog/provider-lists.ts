import { AppError } from '#model/errors.ts';
import type { SecretResolver } from '#model/secret.ts';
import type { SweepOptions } from '#model/sweep-options.ts';
import type { CatalogApi } from '#oci/catalog/api.ts';
import { type ApiDoor, callApi } from '#oci/catalog/api-call.ts';
import type { OwnLists } from '#oci/catalog/catalog.ts';
import { dockerHubLists } from '#oci/catalog/dockerhub.ts';
import { githubLists } from '#oci/catalog/github.ts';
import { harborLists } from '#oci/catalog/harbor.ts';
import { quayLists } from '#oci/catalog/quay.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';

type AnyApi = NonNullable<SweepOptions['api']>;
/** An API with credentials of its own. */
export type ListApi = AnyApi & { readonly type: Exclude<AnyApi['type'], 'acr' | 'ecr' | 'gar'> };

/** Where the API of a provider is, with a slash at its end. */
export function listApiUrl({ type, url }: ListApi, registry: URL): URL {
  if (url !== undefined) return new URL(url.endsWith('/') ? url : `${url}/`);
  switch (type) {
    case 'harbor':
      return new URL('api/v2.0/', registry);
    case 'quay':
      return new URL('api/v1/', registry);
    case 'github':
      return new URL('https://api.github.com/');
    case 'dockerhub':
      return new URL('https://hub.docker.com/v2/');
  }
}

export interface ProviderParts extends ApiDoor {
  readonly secrets: SecretResolver;
}

/** Shorter than any token lives, and soon enough for a secret that was changed. */
const HELD_MS = 5 * 60_000;

/** The lists of a provider's own API. */
export function providerLists(options: ListApi, parts: ProviderParts): OwnLists {
  let held: { readonly value: string | undefined; readonly until: number } | undefined;
  const api: CatalogApi = {
    ...parts,
    async authorization(signal) {
      const at = parts.now().getTime();
      if (held === undefined || at >= held.until) {
        held = { value: await authorization(options, parts, signal), until: at + HELD_MS };
      }
      return held.value;
    },
  };
  const { owner = '' } = options;
  switch (options.type) {
    case 'harbor':
      return harborLists(api);
    case 'quay':
      return quayLists(api, owner);
    case 'github':
      return githubLists(api, owner);
    case 'dockerhub':
      return dockerHubLists(api, owner);
  }
}

async function authorization(
  { type, username, secret }: ListApi,
  parts: ProviderParts,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (secret === undefined) return undefined;
  const value = parts.secrets(secret).reveal();
  if (username === undefined) return `Bearer ${value}`;
  if (type !== 'dockerhub') return `Basic ${Buffer.from(`${username}:${value}`).toString('base64')}`;
  return `Bearer ${await hubToken(username, value, parts, signal)}`;
}

/** Docker Hub takes a user's password or access token for a token of some minutes (Hub API: auth/token). */
async function hubToken(identifier: string, secret: string, door: ApiDoor, signal?: AbortSignal): Promise<string> {
  const { name, url } = door;
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const body = JSON.stringify({ identifier, secret });
  const answer = await callApi(door, { method: 'POST', url: new URL('auth/token', url), headers, body }, signal);
  const token = answer.status === 200 ? asObject(parseBoundedJson(answer.body))?.access_token : undefined;
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new AppError('registry-unauthorized', `${name}: its API gives no token, it answered ${answer.status}`, {
    field: 'registries.sweep.api',
    mend: 'give a user and an access token of Docker Hub',
  });
}
